"""Production's processes: a code location is deployed while the others, and runs, go on.

`pytest -s tests/deploy/test_topology.py` prints how long it took until new code was live.
"""

from __future__ import annotations

import os
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import psutil
import pytest
import yaml

from tests.conftest import WarehouseUnderTest
from tests.deploy.topology import (
    LOCATIONS,
    PROCESSES,
    ROOT,
    Topology,
    Watch,
    started_topology,
    wait_for,
)

pytestmark = [pytest.mark.programs, pytest.mark.xdist_group("topology")]

COMMON = """
    import os
    import time
    from pathlib import Path

    import dagster as dg

    from factories import build_definitions
    from factories.core.warehouse.settings import warehouse_settings

    GATE = Path(os.environ["TOPOLOGY_GATE"])
    VERSION = {version}

    def execute(*statements):
        connection = warehouse_settings().connect("RAW")
        try:
            for statement in statements:
                connection.cursor().execute(statement)
        finally:
            connection.close()
"""
INGESTION = """
    @dg.asset
    def orders():
        execute(
            "create schema if not exists RAW.TOPOLOGY",
            f"create or replace table RAW.TOPOLOGY.ORDERS as select {VERSION} as version",
        )
"""
TRANSFORMATION = """
    @dg.asset(deps=["orders"])
    def revenue():
        (GATE / "reached").touch()
        while not (GATE / "open").exists():
            time.sleep(0.05)
        execute(
            "create schema if not exists ANALYTICS.TOPOLOGY",
            "create or replace table ANALYTICS.TOPOLOGY.REVENUE as"
            f" select version as orders_by, {VERSION} as revenue_by from RAW.TOPOLOGY.ORDERS",
        )

    @dg.asset(deps=[revenue])
    def report():
        execute(
            "create or replace table ANALYTICS.TOPOLOGY.REPORT as"
            f" select *, {VERSION} as report_by from ANALYTICS.TOPOLOGY.REVENUE"
        )
"""
ML = """
    @dg.asset(deps=["report"])
    def scores():
        execute(
            "create schema if not exists ML.TOPOLOGY",
            "create or replace table ML.TOPOLOGY.SCORES as select * from ANALYTICS.TOPOLOGY.REPORT",
        )
"""
NEW = """
    @dg.asset
    def new_in_{location}():
        execute(
            "create schema if not exists RAW.TOPOLOGY",
            f"create table RAW.TOPOLOGY.NEW_IN_{location} as select {{VERSION}} as version",
        )
"""
END = """
    found = [each for each in globals().values() if isinstance(each, dg.AssetsDefinition)]
    defs = build_definitions(assets=found)
"""
ASSETS = {"ingestion": INGESTION, "transformation": TRANSFORMATION, "ml": ML}


@dataclass
class Story:
    """What was seen while two code locations got new code.

    Attributes:
        runs: How each run has ended.
        under_way: Whether the gated run was still at work, after each deployment.
        live_after: Seconds from the changed file until the UI had the new asset.
        pids: The processes of each code server: at the beginning, then after each deployment.
        outages: What went wrong when each code server was asked, where nothing may.
        asked: How many times each was.
    """

    runs: dict[str, str] = field(default_factory=dict)
    under_way: dict[str, bool] = field(default_factory=dict)
    live_after: dict[str, float] = field(default_factory=dict)
    pids: list[dict[str, list[int]]] = field(default_factory=list)
    outages: dict[str, list[str]] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)


def code(location: str, version: int) -> str:
    """The module of a code location; from version 2 on it has one more asset."""
    new = NEW.format(location=location) if version > 1 else ""
    parts = (COMMON.format(version=version), ASSETS[location], new, END)
    return "".join(map(textwrap.dedent, parts))


@pytest.fixture(scope="module")
def topology(
    tmp_path_factory: pytest.TempPathFactory, postgres_socket: Path, warehouse: WarehouseUnderTest
) -> Iterator[Topology]:
    """The processes of production on a small project, the warehouse and PostgreSQL."""
    folder = tmp_path_factory.mktemp("topology")
    project, home = folder / "project", folder / "home"
    for made in (project, home):
        made.mkdir()
    for location in LOCATIONS:
        (project / f"{location}.py").write_text(code(location, 1))
    instance = yaml.safe_load((PROCESSES / "dagster.yaml").read_text())
    instance["run_coordinator"]["config"] = {"dequeue_interval_seconds": 1}  # else 5, for each run
    (home / "dagster.yaml").write_text(yaml.safe_dump(instance))
    with pytest.MonkeyPatch.context() as patch:
        address = f"postgresql+psycopg2://postgres@/postgres?host={postgres_socket}"
        patch.setenv("DAGSTER_POSTGRES_URL", address)
        patch.setenv("TOPOLOGY_GATE", str(folder))
        patch.setenv("DP_AUTOMATION", "off")
        dg.DagsterInstance.from_config(str(home)).dispose()  # makes the tables
        with started_topology(project, home) as started:
            yield started
    for database in ("RAW", "ANALYTICS", "ML"):
        warehouse.rows(f"drop schema if exists {database}.TOPOLOGY")


@pytest.fixture(scope="module")
def story(topology: Topology) -> Story:
    """Two deployments while a run of `transformation` is at work; then that run, and the rest."""
    told, gate = Story(), Path(os.environ["TOPOLOGY_GATE"])
    watch = Watch(topology.ports)

    def look(deployed: str) -> None:
        told.under_way[deployed] = topology.api.run(gated, None).status == "STARTED"
        told.pids.append({name: topology.server_pids(name) for name in LOCATIONS})

    with watch.running():
        began = time.monotonic()
        gated = topology.launch("revenue", "report")
        wait_for((gate / "reached").exists, until="the run is at work")
        look("nothing")
        told.live_after["ingestion"] = topology.redeploy(
            "ingestion", code("ingestion", 2), "new_in_ingestion"
        )
        new = {"ingestion": topology.launch("orders", "new_in_ingestion")}
        look("ingestion")
        deployed = time.monotonic()
        told.live_after["transformation"] = topology.redeploy(
            "transformation", code("transformation", 2), "new_in_transformation"
        )
        new["transformation"] = topology.launch("new_in_transformation")
        told.runs = {name: topology.wait_for_run(run_id) for name, run_id in new.items()}
        look("transformation")
        (gate / "open").touch()
        told.runs["gated"] = topology.wait_for_run(gated)
        told.runs["ml"] = topology.wait_for_run(topology.launch("scores"))
        ended = time.monotonic()
    told.asked = watch.asked
    told.outages = {
        "transformation": watch.outages("transformation", began, deployed),
        "ingestion": watch.outages("ingestion", deployed, ended),
        "ml": watch.outages("ml", began, ended),
    }
    for location, seconds in told.live_after.items():
        print(f"\n{location}: new code live {seconds:.1f} s after its file was changed")  # noqa: T201
    unanswered = {name: len(said) for name, said in told.outages.items()}
    print(f"the others: asked {told.asked}, without an answer {unanswered}")  # noqa: T201
    return told


def test_every_run_succeeds_whatever_is_deployed_meanwhile(story: Story) -> None:
    assert set(story.runs.values()) == {"SUCCESS"}, story.runs
    assert story.under_way == {"nothing": True, "ingestion": True, "transformation": True}


def test_other_code_servers_are_neither_restarted_nor_silent(story: Story) -> None:
    before, ingestion, transformation = story.pids
    for name in ("transformation", "ml"):
        assert ingestion[name] == before[name]
    assert transformation["ml"] == before["ml"]
    # What had its former code ends a moment after its own deployment.
    for end in (0, -1):
        assert transformation["ingestion"][end] == ingestion["ingestion"][end]
    assert all(story.asked.values())
    assert story.outages == {location: [] for location in LOCATIONS}


def test_a_code_server_keeps_its_process_and_port_and_has_new_code_below(story: Story) -> None:
    before, ingestion, transformation = story.pids
    assert ingestion["ingestion"][0] == before["ingestion"][0]
    assert ingestion["ingestion"][-1] not in before["ingestion"]
    # Its run is a child of the process with the former code, which stays for it.
    outer, former = before["transformation"]
    assert transformation["transformation"][:2] == [outer, former]
    assert len(transformation["transformation"]) == 3


def test_a_code_process_ends_when_its_last_run_has(story: Story, topology: Topology) -> None:
    former = set(story.pids[0]["transformation"][1:])
    wait_for(lambda: not any(map(psutil.pid_exists, former)), until="the former code has ended")
    assert len(topology.server_pids("transformation")) == 2


@pytest.mark.usefixtures("story")
def test_data_come_from_the_code_that_a_step_began_with(warehouse: WarehouseUnderTest) -> None:
    """A step that was at work keeps its code; one that begins later in the same run has the new."""
    made_by = "select orders_by, revenue_by, report_by from ML.TOPOLOGY.SCORES"
    assert warehouse.rows(made_by) == [(2, 1, 2)]
    assert warehouse.rows("select version from RAW.TOPOLOGY.NEW_IN_INGESTION") == [(2,)]
    assert warehouse.rows("select version from RAW.TOPOLOGY.NEW_IN_TRANSFORMATION") == [(2,)]


def test_the_instance_is_the_projects_with_the_storage_of_production() -> None:
    """Whoever changes a setting of the project's instance decides for production as well."""
    project, production = (
        yaml.safe_load(path.read_text())
        for path in (ROOT / "dagster.yaml", PROCESSES / "dagster.yaml")
    )
    del project["run_launcher"]
    address = {"postgres_url": {"env": "DAGSTER_POSTGRES_URL"}}
    assert production.pop("storage") == {"postgres": address}
    for limit in ("start_timeout_seconds", "cancel_timeout_seconds", "max_runtime_seconds"):
        assert production["run_monitoring"].pop(limit) > 0
    assert production == project


def test_procfile_starts_what_workspace_yaml_names() -> None:
    """The same modules, Pythons and names as the project's own workspace."""
    entries = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    served = yaml.safe_load((PROCESSES / "workspace.yaml").read_text())["load_from"]
    ports = {each["grpc_server"]["location_name"]: each["grpc_server"]["port"] for each in served}
    lines = dict(
        line.split(": ", 1)
        for line in (PROCESSES / "Procfile").read_text().splitlines()
        if not line.startswith("#")
    )
    assert set(lines) == {*ports, "webserver", "daemon"}
    assert list(ports) == [entry["python_module"]["location_name"] for entry in entries]
    for entry in (entry["python_module"] for entry in entries):
        name = entry["location_name"]
        assert lines[name].startswith(str(Path(entry["executable_path"]).with_name("dagster ")))
        for option in (
            f"--port {ports[name]} ",
            f"--location-name {name} ",
            f"--module-name {entry['module_name']} ",
            f"--attribute {entry['attribute']}",
            f"--working-directory {entry['working_directory']} ",
        ):
            assert option in lines[name], name

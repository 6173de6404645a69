"""`dp status`, `dp ls` and `dp runs`: what is told without a Dagster that runs."""

from __future__ import annotations

import importlib
import json
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
)
from dagster._daemon.types import DaemonHeartbeat
from rich.console import Console
from typer.testing import CliRunner

from factories.cli.asset_facts import Cron, FreshnessFacts
from factories.cli.location_report import LocationReport, report_location
from factories.cli.looking.assets import ProjectAsset, join_assets
from factories.cli.looking.condition_words import describe_evaluation
from factories.cli.looking.instance import (
    AUTOMATION_DAEMON,
    InstanceUnreadableError,
    opened_instance,
    why_automation_is_off,
)
from factories.cli.looking.runs import RunRow, read_runs
from factories.cli.looking.status import AssetStatus, freshness_state, read_statuses
from factories.cli.looking.tables import print_assets, print_runs, print_statuses
from factories.cli.main import build_app
from factories.cli.serving.fingerprint import Fingerprint
from factories.cli.serving.served_instance import Served, forget_served, note_served
from factories.core.meta.condition_lookup import automation_condition
from factories.core.process_identity import ProcessIdentity
from factories.location_defaults import AUTOMATION
from tests.factories.cli.served_project import WORKSPACE, Project, make_project

# One history for all of them.
pytestmark = pytest.mark.xdist_group("looking")
LONG = "shop/marts/a_name_that_is_longer_than_what_a_table_of_eighty_columns_has"
LOCATION = """
import os
from datetime import timedelta
import dagster as dg
from factories.core.execution.failures import build_step_failure
from factories.core.meta.condition_lookup import automation_condition

place = dg.LocalFileCodeReference(file_path=__file__, line_number=7)
HERE = {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[place])}
CRON = automation_condition(
    "on_cron_no_deps", cron_schedule="0 5 * * *", cron_timezone="America/New_York"
)

@dg.asset(
    key_prefix=["shop", "raw"], group_name="shop", kinds={"sling"}, owners=["team:shop"],
    metadata=HERE, automation_condition=CRON,
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=1)),
)
def orders():
    return dg.MaterializeResult(metadata={"dagster/row_count": 1234})

@dg.multi_asset(
    specs=[dg.AssetSpec(["shop", "raw", name], group_name="shop") for name in ("a", "b", "c")],
    can_subset=True,
)
def streams(context):
    if "MENDED" not in os.environ:
        yield dg.MaterializeResult(asset_key=["shop", "raw", "a"])
        raise build_step_failure(
            "1 of 3 streams failed", {dg.AssetKey(["shop", "raw", "b"]): "no such table\\nline 2"}
        )
    for key in context.selected_asset_keys:
        yield dg.MaterializeResult(asset_key=key)

@dg.asset(
    key=LONG, group_name="marts", deps=[["shop", "raw", "b"]],
    automation_condition=automation_condition("on_upstream_change"),
)
def mart(): ...

@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["x", "y"]))
def parts(context):
    if context.partition_key == "x":
        raise ValueError("x is empty")

@dg.asset_check(asset=["shop", "raw", "orders"])
def rows():
    return dg.AssetCheckResult(passed=False)

@dg.asset_check(asset=["shop", "raw", "orders"])
def unique():
    return dg.AssetCheckResult(passed=True)

defs = dg.Definitions(
    [orders, streams, mart, parts, dg.AssetSpec(["shop", "source"], group_name="shop")],
    asset_checks=[rows, unique],
)
""".replace("LONG", repr(LONG.split("/")))


@dataclass
class History:
    """A project whose assets have run in a real instance, and what is told of them."""

    project: Project
    defs: dg.Definitions
    instance: dg.DagsterInstance
    assets: list[ProjectAsset]

    def run(self, *keys: str, **options: Any) -> None:
        """Materialize assets and their checks in this process."""
        selection = [dg.AssetKey(key.split("/")) for key in keys]
        self.defs.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance, asset_selection=selection, raise_on_error=False, **options
        )

    def evaluate(self) -> None:
        """Evaluate the automation conditions as the daemon does, and store the evaluations."""
        result = dg.evaluate_automation_conditions(self.defs, self.instance)
        storage = self.instance.schedule_storage
        assert storage
        storage.add_auto_materialize_asset_evaluations(
            1, [each.serializable_evaluation.with_run_ids(set()) for each in result.results]
        )

    def statuses(self, now: float | None = None) -> dict[str, AssetStatus]:
        """How each asset is."""
        now = now or datetime.now(UTC).timestamp()
        produced = [asset for asset in self.assets if asset.report.produced]
        return {each.asset: each for each in read_statuses(self.instance, produced, now)}

    def runs(self) -> list[RunRow]:
        return read_runs(self.instance, 20, datetime.now(UTC).timestamp())


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    project = make_project(tmp_path_factory.mktemp("looking"), LOCATION)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DP_PROJECT_DIR", str(project.root))
        patch.syspath_prepend(str(project.root))
        report = LocationReport.from_json(report_location("plain_location").to_json())
        assert report.problems == []
        defs = importlib.import_module("plain_location").defs
        project.home.mkdir(parents=True)
        (project.home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        with opened_instance(project.home) as instance:
            assert instance
            yield History(project, defs, instance, join_assets({"plain": report}))
        sys.modules.pop("plain_location")


@pytest.fixture(scope="module")
def told(history: History) -> dict[str, AssetStatus]:
    """How the assets are after a day on which some of it went wrong."""
    history.run("parts", partition_key="x")
    history.run("parts", partition_key="y")
    tags = {"dp/condition": "on_cron_no_deps", "dp/cause": "the cron ticked at 05:00"}
    history.run("shop/raw/orders", tags={**tags, "dp/location": "plain"})
    history.run("shop/raw/a", "shop/raw/b", "shop/raw/c", LONG)
    history.evaluate()
    return history.statuses()


def test_the_last_success_its_rows_freshness_and_failed_checks(
    told: dict[str, AssetStatus],
) -> None:
    orders = told["shop/raw/orders"]

    assert orders.last_success
    assert abs(datetime.now(UTC) - datetime.fromisoformat(orders.last_success)).days == 0
    assert (orders.rows, orders.freshness, orders.failed_checks) == (1234, "pass", ("rows",))
    assert orders.last_error is None


def test_each_asset_of_a_failed_run_has_the_error_of_its_own(
    told: dict[str, AssetStatus],
) -> None:
    errors = {key: each.last_error.text for key, each in told.items() if each.last_error}

    assert errors == {
        "parts": "ValueError: x is empty",
        "shop/raw/b": "no such table",
        "shop/raw/c": "1 of 3 streams failed",
        LONG: "not tried, as the step streams failed: 1 of 3 streams failed",
    }


@pytest.mark.programs
def test_an_error_is_mended_by_what_was_made_since_and_of_a_partition_by_that_partition(
    history: History, told: dict[str, AssetStatus], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not [key for key, each in told.items() if each.last_error and each.last_error.mended]

    monkeypatch.setenv("MENDED", "1")
    history.run("shop/raw/b")
    now = history.statuses()

    errors = {key: each.last_error for key, each in now.items() if each.last_error}
    assert {key: error.mended for key, error in errors.items()} == {
        "parts": False,
        "shop/raw/b": True,
        "shop/raw/c": False,
        LONG: False,
    }


def test_why_an_asset_does_not_run_is_what_its_condition_said_last(
    told: dict[str, AssetStatus],
) -> None:
    assert told["shop/raw/orders"].why.startswith("Nothing to do: the cron ticks next at ")
    assert told["shop/raw/orders"].why_since
    assert told[LONG].why == (
        "Waiting: shop/raw/b was never made; to run because it was never made"
    )
    assert told["parts"].why == "No automation condition: it runs when it is asked for"


def test_of_dagsters_operators_the_part_that_did_not_hold_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DP_CONDITIONS", "operators")
    change = automation_condition("on_upstream_change")
    mine = dg.AutomationCondition.on_missing() & ~dg.AutomationCondition.any_deps_missing()

    def asset(name: str, condition: Any = None, deps: tuple[str, ...] = ()) -> dg.AssetsDefinition:
        @dg.asset(name=name, automation_condition=condition, deps=deps)
        def load() -> None: ...

        return load

    cron = automation_condition("on_cron_no_deps", cron_schedule="0 5 * * *")
    below = [asset("below", change, ("up",)), asset("of_the_company", mine, ("up",))]
    defs = dg.Definitions([asset("up"), asset("ticks", cron), *below])
    with dg.DagsterInstance.ephemeral() as instance:
        results = dg.evaluate_automation_conditions(defs, instance).results
    told = {
        each.key.to_user_string(): describe_evaluation(each.serializable_evaluation, "it")
        for each in results
    }

    said = "it asked for nothing, as this does not hold:"
    assert told == {
        "ticks": f"{said} the cron has ticked since it was updated",
        "below": f"{said} no upstream asset is missing, being made, or failed in a check",
        "of_the_company": f"{said} missing_since_last_handled",
    }


def test_the_next_tick_is_in_the_crons_own_time_zone(history: History) -> None:
    before = datetime(2024, 3, 10, 8, 59, tzinfo=UTC)  # the clocks went forward in the night

    assert history.statuses(before.timestamp())["shop/raw/orders"].next_tick == (
        "2024-03-10T09:00:00+00:00"
    )


def test_an_asset_of_a_run_that_has_not_ended_says_which(history: History) -> None:
    run = history.instance.create_run_for_job(
        history.defs.resolve_implicit_global_asset_job_def(),
        asset_selection=frozenset({dg.AssetKey("parts")}),
        status=dg.DagsterRunStatus.STARTED,
    )
    try:
        assert history.statuses()["parts"].why == f"Run {run.run_id[:8]} is started"
    finally:
        history.instance.delete_run(run.run_id)


@pytest.mark.parametrize(
    ("policy", "age", "state"),
    [
        (FreshnessFacts(fail_after=7200.0, warn_after=3600.0), 3599, "pass"),
        (FreshnessFacts(fail_after=7200.0, warn_after=3600.0), 3600, "warn"),
        (FreshnessFacts(fail_after=7200.0, warn_after=3600.0), 7200, "fail"),
        # At noon, of a deadline at nine.
        (FreshnessFacts(deadline=Cron("0 9 * * *", "UTC"), within=3600.0), 4 * 3600, "pass"),
        (FreshnessFacts(deadline=Cron("0 9 * * *", "UTC"), within=3600.0), 4 * 3600 + 1, "fail"),
    ],
)
def test_freshness_is_that_of_now(policy: FreshnessFacts, age: int, state: str) -> None:
    noon = datetime(2024, 3, 11, 12, tzinfo=UTC).timestamp()

    assert freshness_state(policy, noon - age, noon) == state
    assert freshness_state(policy, None, noon) == "unknown"


def test_runs_tell_why_they_were_there_and_why_they_failed(
    history: History, told: dict[str, AssetStatus]
) -> None:
    assert told
    streams, orders, _, x = history.runs()[-4:]

    assert (streams.status, streams.assets, streams.error) == (
        "failure",
        4,
        "1 of 3 streams failed",
    )
    assert (orders.status, orders.condition, orders.cause, orders.location) == (
        "success",
        "on_cron_no_deps",
        "the cron ticked at 05:00",
        "plain",
    )
    assert (x.partition, x.error) == ("x", "ValueError: x is empty")
    assert x.seconds is not None


def test_tables_fit_80_columns_and_keep_keys_whole(
    history: History, told: dict[str, AssetStatus]
) -> None:
    now = datetime.now(UTC).timestamp()
    out = StringIO()
    print_statuses(Console(file=out, width=80), list(told.values()), now)
    print_runs(Console(file=out, width=80), history.runs())
    lines = out.getvalue().splitlines()

    assert max(map(len, lines)) <= 80
    assert all(any(key in line for line in lines) for key in told)
    text = " ".join(out.getvalue().split())
    assert "1,234 pass in" in text
    assert "Failed check: rows shop/raw/orders" in text
    assert "in run" in text
    assert "on_cron_no_deps (plain): the cron ticked at 05:00" in text


def test_a_list_of_assets_tells_where_each_is_defined_and_what_runs_it(history: History) -> None:
    out = StringIO()
    print_assets(Console(file=out, width=80), history.assets)

    assert out.getvalue().endswith(
        "shop/raw/orders  on_cron_no_deps, 0 5 * * * America/New_York\n"
        "  plain_location.py:7\n"
        "  group shop · location plain · sling · team:shop\n"
        "shop/source  (not made here)\n"
        "  group shop · location plain\n"
    )
    (orders,) = [asset.to_data() for asset in history.assets if asset.key == "shop/raw/orders"]
    assert orders == {
        "asset": "shop/raw/orders",
        "group": "shop",
        "kinds": ["sling"],
        "owners": ["team:shop"],
        "condition": {
            "name": "on_cron_no_deps",
            "crons": (Cron("0 5 * * *", "America/New_York").__dict__,),
            "off": "",
        },
        "location": "plain",
        "file": "plain_location.py",
        "line": 7,
        "produced": True,
    }


def test_an_asset_that_another_location_makes_is_told_once_with_the_checks_of_both(
    history: History,
) -> None:
    (orders,) = [asset.report for asset in history.assets if asset.key == "shop/raw/orders"]
    maker = LocationReport([orders], checks={orders.key: ["rows"]})
    reader = LocationReport([replace(orders, produced=False)], checks={orders.key: ["fresh"]})

    (joined,) = join_assets({"reader": reader, "maker": maker})

    assert (joined.location, joined.checks) == ("maker", ("fresh", "rows"))


def test_what_keeps_automation_from_running_is_told(history: History) -> None:
    now = datetime.now(UTC).timestamp()
    home, instance = history.project.home, history.instance

    assert "no daemon has evaluated" in why_automation_is_off(instance, home, now)

    instance.add_daemon_heartbeat(DaemonHeartbeat(now, AUTOMATION_DAEMON, "id"))
    assert why_automation_is_off(instance, home, now) == ""
    assert "was last seen at 20" in why_automation_is_off(instance, home, now + 600)

    fingerprint = Fingerprint("", "", {}, {})
    note_served(home, Served("", "dp run", ProcessIdentity.of_this(), 0, fingerprint))
    assert "`dp run` serves this instance" in why_automation_is_off(instance, home, now)
    forget_served(home)

    origin = RegisteredCodeLocationOrigin("plain")
    sensor = RemoteInstigatorOrigin(RemoteRepositoryOrigin(origin, "__repository__"), AUTOMATION)
    instance.add_instigator_state(
        InstigatorState(sensor, InstigatorType.SENSOR, InstigatorStatus.STOPPED)
    )
    assert why_automation_is_off(instance, home, now) == (
        "the sensor automation is switched off in plain"
    )


def test_an_instance_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "runs.db").write_text("no database")

    with (
        pytest.raises(InstanceUnreadableError, match=r"cannot be read: \w+: .*not a database"),
        opened_instance(tmp_path),
    ):
        pass


@pytest.mark.programs
def test_the_commands_read_the_locations_and_start_no_dagster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(tmp_path, LOCATION)
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    dp = CliRunner()

    told = dp.invoke(build_app(), ["status", "shop", "--json"])
    wrong = dp.invoke(build_app(), ["ls", "shop/raw/ordres"])
    runs = dp.invoke(build_app(), ["runs", "--json"])

    nothing = f"nothing has run yet: there is no Dagster instance in {project.home}"
    assert told.exit_code == 0
    assert told.stderr == "target: local\n"
    data = json.loads(told.stdout)
    assert data["automation_off"] == nothing
    assert [row["asset"] for row in data["assets"]] == [
        f"shop/raw/{name}" for name in ("a", "b", "c", "orders")
    ]
    assert data["assets"][-1]["freshness"] == "unknown"
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert wrong.stderr == (
        "target: local\n'shop/raw/ordres' is neither an asset nor a group;"
        " did you mean 'shop/raw/orders'?\n"
    )
    assert (runs.exit_code, runs.stdout) == (0, "[]\n")
    assert not project.home.exists()

    workspace = project.root / "workspace.yaml"
    entry = textwrap.dedent(WORKSPACE).split("load_from:")[1]
    entry = entry.replace("location_name: plain", "location_name: other")
    workspace.write_text(workspace.read_text().rstrip() + entry.replace("PYTHON", "no/python"))
    left = dp.invoke(build_app(), ["ls", "--json"])
    assert left.exit_code == 1
    assert "other cannot be loaded: its environment is missing, run `make setup`" in left.stderr
    assert len(json.loads(left.stdout)) == 7

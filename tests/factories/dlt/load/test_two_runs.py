"""Two runs of one pipeline at once, by Dagster's own queue, launcher and step processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import textwrap
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from factories.cli.serving.api import FINAL, AssetNode, DagsterApi
from factories.cli.serving.dagster_process import running_dagster
from tests.conftest import WarehouseUnderTest

ROOT = Path(__file__).parents[4]
WAIT_SECONDS = 400
# A group of its own: Dagster is started once, and longer tests need not wait for these.
pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("two runs"), pytest.mark.timeout(1500)]

# Each run writes who it is, and waits until it may go on.
SHOP = """
    import os
    import time
    from pathlib import Path
    import dagster as dg

    def events(folder):
        folder = Path(folder)
        (folder / "new").write_text(f"{dg.OpExecutionContext.get().run_id} {os.getpid()}")
        (folder / "new").rename(folder / f"{time.time()}.begun")
        deadline = time.monotonic() + 900
        while not (folder / "go").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        yield from ({"at": n} for n in range(10))
"""
SHOP_YAML = """
    pipeline: shop
    dataset: DATASET
    source: {python: "shop:events", args: {folder: FOLDER}}
    resources: {events: {write_disposition: append, incremental: {cursor_path: at}}}
"""
CALENDAR_YAML = """
    pipeline: calendar
    dataset: DATASET
    source: {python: "calendar_days:days"}
    resources: {days: {write_disposition: replace}}
"""
WORKSPACE = """
    load_from:
      - python_module:
          module_name: shop_location
          attribute: defs
          location_name: shop
          executable_path: PYTHON
          working_directory: .
"""
LOCATION = """
    from factories.definitions import build_definitions

    defs = build_definitions(dlt="dlt_pipelines")
"""
T = TypeVar("T")


@dataclass(frozen=True)
class Begun:
    """A step that has begun to read.

    Attributes:
        run: Its run.
        pid: Its process.
    """

    run: str
    pid: int


@dataclass(frozen=True)
class Shop:
    """A project with one slow pipeline, and a Dagster that runs it.

    Attributes:
        folder: Where the steps and the test meet.
        dataset: The pipeline's.
        warehouse: What it loads.
        api: Dagster's webserver.
        events: The pipeline's asset.
        days: That of another pipeline.
    """

    folder: Path
    dataset: str
    warehouse: WarehouseUnderTest
    api: DagsterApi
    events: AssetNode
    days: AssetNode

    def launch(self, asset: AssetNode) -> str:
        """Launch a run that Dagster does not repeat when a process of it is killed."""
        return self.api.launch([asset], {"dagster/max_retries": "0"})

    def begun(self) -> list[Begun]:
        """The steps that have begun to read, in their order."""
        words = [path.read_text().split() for path in sorted(self.folder.glob("*.begun"))]
        return [Begun(run, int(pid)) for run, pid in words]

    def reads(self, number: int) -> Begun:
        """Wait until so many steps have begun to read; return the last of them."""
        found = self.wait_for(lambda: self.begun()[number - 1 :], until=f"step {number} reads")
        assert len(found) == 1
        return found[0]

    def wait_for(self, what: Callable[[], T], *, until: str) -> T:
        deadline = time.monotonic() + WAIT_SECONDS
        while not (found := what()):
            assert time.monotonic() < deadline, f"not within {WAIT_SECONDS} s: {until}"
            time.sleep(0.5)  # each question costs the webserver some 20 ms
        return found

    def status(self, run: str) -> str:
        return self.api.run(run, None).status

    def ended(self, run: str) -> str:
        def final() -> str | None:
            status = self.status(run)
            return status if status in FINAL else None

        return str(self.wait_for(final, until=f"the end of run {run}"))

    def moment(self, run: str, kind: str) -> float:
        """When an event of this kind came, in seconds."""
        events = self.api.run(run, None).events
        (event,) = (event for event in events if event["__typename"] == kind)
        return int(event["timestamp"]) / 1000

    def rows(self) -> list[tuple[object, ...]]:
        return self.warehouse.rows(f"select at from RAW.{self.dataset}.events order by at")


@pytest.fixture(scope="module")
def dagster_shop(
    warehouse: WarehouseUnderTest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    root, folder = tmp_path_factory.mktemp("shop"), tmp_path_factory.mktemp("meeting")
    dataset = f"d{uuid.uuid4().hex[:8]}"
    texts = {
        "dlt_pipelines/shop.py": SHOP,
        "dlt_pipelines/shop.yaml": SHOP_YAML.replace("DATASET", dataset).replace(
            "FOLDER", json.dumps(str(folder))
        ),
        "dlt_pipelines/calendar_days.py": "def days():\n    yield {'day': 1}\n",
        "dlt_pipelines/calendar.yaml": CALENDAR_YAML.replace("DATASET", dataset),
        "workspace.yaml": WORKSPACE.replace("PYTHON", str(ROOT / ".venvs/ingestion/bin/python")),
        "shop_location.py": LOCATION,
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(textwrap.dedent(text))
    home = root / "home"
    home.mkdir()
    for place in (root, home):
        shutil.copyfile(ROOT / "dagster.yaml", place / "dagster.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DP_PROJECT_DIR", str(root))
        patch.setenv("DAGSTER_HOME", str(home))
        with running_dagster() as api:
            assert api.load_errors() == {}
            days, events = api.assets()  # by key
            yield Shop(folder, dataset, warehouse, api, events, days)


@pytest.fixture
def shop(dagster_shop: Shop) -> Shop:
    for path in dagster_shop.folder.iterdir():
        path.unlink()
    dagster_shop.warehouse.rows(f"drop schema if exists RAW.{dagster_shop.dataset} cascade")
    return dagster_shop


def test_second_run_waits_for_the_first_and_no_row_is_there_twice(shop: Shop) -> None:
    first = shop.launch(shop.events)
    assert shop.reads(1).run == first
    second, other = shop.launch(shop.events), shop.launch(shop.days)
    assert shop.ended(other) == "SUCCESS"  # the queue came past the second run, and left it there
    assert shop.status(second) == "QUEUED"
    (shop.folder / "go").touch()

    assert [shop.ended(run) for run in (first, second)] == ["SUCCESS", "SUCCESS"]

    ended = shop.moment(first, "ExecutionStepSuccessEvent")
    assert ended <= shop.moment(second, "ExecutionStepStartEvent")
    assert [step.run for step in shop.begun()] == [first, second]
    assert shop.rows() == [(n,) for n in range(10)]


def test_step_that_was_killed_cancelled_or_left_alone_gives_way_to_the_next(shop: Shop) -> None:
    """The last of the module: the third run keeps its slot of the pool for a minute or two."""
    at_once = {shop.launch(shop.events), shop.launch(shop.events)}  # the queue may let both go
    killed = shop.reads(1)
    os.kill(killed.pid, signal.SIGKILL)
    cancelled = shop.reads(2)
    orphan = shop.launch(shop.events)
    shop.api.terminate(cancelled.run)
    orphaned = shop.reads(3)
    os.kill(parent(parent(orphaned.pid)), signal.SIGKILL)  # between them: what forks the steps

    shop.wait_for(lambda: not is_running(orphaned.pid), until="the third step has ended")
    assert not is_running(cancelled.pid)
    assert {killed.run, cancelled.run} == at_once
    assert orphaned.run == orphan
    assert shop.ended(killed.run) == "FAILURE"
    assert shop.ended(cancelled.run) == "CANCELED"
    assert shop.ended(orphan) == "FAILURE"


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter when it ends while it is read
        return False

"""`dp run` that is killed or interrupted while a run goes on, by real signals."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.factories.cli.served_project import WAIT_SECONDS, Project, make_project, wait_for

pytestmark = [pytest.mark.programs, pytest.mark.xdist_group("interrupted runs")]

LOCATION = """
    import os
    import signal
    import time
    from pathlib import Path

    import dagster as dg

    @dg.asset(pool="slow")
    def slow():
        folder = Path(os.environ["MEETING"])
        (folder / "begun").write_text(str(os.getpid()))
        while not (folder / "go").exists():
            time.sleep(0.05)

    @dg.asset(pool="slow")
    def loses_its_process(context):
        if context.run.parent_run_id is None:
            os.kill(os.getpid(), signal.SIGKILL)

    @dg.asset(pool="slow")
    def loses_its_worker():
        worker = int(Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(worker, signal.SIGKILL)

    defs = dg.Definitions(
        assets=[slow, loses_its_process, loses_its_worker],
        executor=dg.multiprocess_executor.configured(
            {"start_method": {"forkserver": {"preload_modules": ["dagster"]}}}
        ),
    )
"""


@dataclass(frozen=True)
class Slow:
    """A project with one asset, which waits until it may go on.

    Attributes:
        project: The project.
        meeting: The folder where its step and the test meet.
    """

    project: Project
    meeting: Path

    def step(self) -> int:
        """Wait until the step has begun; return its process."""
        begun = self.meeting / "begun"
        wait_for(lambda: begun.exists() and begun.read_text(), until="the step has begun")
        return int(begun.read_text())


def lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def read_until(process: subprocess.Popen[str], pattern: str) -> str:
    """Read what a command says until it says this; return all of it."""
    assert process.stderr is not None
    said = ""
    while not re.search(pattern, said):
        line = process.stderr.readline()
        assert line, said
        said += line
    return said


@pytest.fixture(scope="module")
def slow_project(tmp_path_factory: pytest.TempPathFactory) -> Slow:
    meeting = tmp_path_factory.mktemp("meeting")
    project = make_project(tmp_path_factory.mktemp("slow"), LOCATION)
    project.environment["MEETING"] = str(meeting)
    return Slow(project, meeting)


@pytest.fixture
def slow(slow_project: Slow) -> Iterator[Slow]:
    yield slow_project
    for path in slow_project.meeting.iterdir():
        path.unlink()
    for process in slow_project.project.processes():
        process.kill()


def test_killed_dp_run_gives_way_to_the_next_which_waits_for_it(slow: Slow) -> None:
    first = slow.project.start("run", "slow")
    step = slow.step()
    tree = slow.project.processes()
    assert {first.pid, step} < {process.pid for process in tree}
    assert slow.project.slots_taken() == 1
    second = slow.project.start("run", "slow", "loses_its_process", "--json")
    said = read_until(second, f"waiting for the Dagster at .* \\(process {first.pid}\\) started")

    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    wait_for(lambda: not any(map(lives, tree)), until="all of its Dagster has ended")
    (slow.meeting / "go").touch()
    out, rest = second.communicate(timeout=WAIT_SECONDS)

    assert second.returncode == 0, said + rest
    rows = {row["asset"]: row for row in json.loads(out)}
    assert {key: row["status"] for key, row in rows.items()} == {
        "slow": "materialized",
        "loses_its_process": "materialized",
    }
    assert f"which was STARTED: the dp that ran it (process {first.pid} on " in rest
    assert "has failed, Dagster repeats it as " in rest
    assert slow.project.run_statuses() == ["CANCELED", "FAILURE", "SUCCESS"]
    assert slow.project.slots_taken() == 0


def test_interrupted_dp_run_ends_its_runs(slow: Slow) -> None:
    before = slow.project.run_statuses()
    command = slow.project.start("run", "slow", "--json")
    slow.step()

    command.send_signal(signal.SIGTERM)
    _, said = command.communicate(timeout=WAIT_SECONDS)

    assert command.returncode == 1
    assert "Stopped; the runs have ended too." in said
    assert not slow.project.processes()
    assert slow.project.run_statuses() == [*before, "CANCELED"]
    assert slow.project.slots_taken() == 0


def test_killed_worker_of_a_run_is_named_and_gives_its_slot_back(slow: Slow) -> None:
    status, rows = slow.project.run("loses_its_worker")

    assert status == 1
    assert "was terminated by signal 9 (SIGKILL)" in rows["loses_its_worker"]["error"]
    assert not slow.project.processes()
    assert slow.project.slots_taken() == 0

"""`dp run` and `dp dev` that are killed or interrupted while a run goes on, by real signals."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.factories.cli.served_project import Project, make_project, wait_for

pytestmark = [pytest.mark.programs, pytest.mark.xdist_group("interrupted runs")]

LOCATION = """
    import os
    import time
    from pathlib import Path

    import dagster as dg

    @dg.asset(pool="slow")
    def slow():
        folder = Path(os.environ["MEETING"])
        (folder / "begun").write_text(str(os.getpid()))
        while not (folder / "go").exists():
            time.sleep(0.05)

    defs = dg.Definitions(
        assets=[slow],
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

    def processes(self) -> list[psutil.Process]:
        """Whatever was started for this project, and lives."""
        return [each for each in psutil.process_iter() if self._owns(each)]

    def _owns(self, process: psutil.Process) -> bool:
        try:
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                return False
            return process.environ().get("MEETING") == str(self.meeting)
        except psutil.Error:
            return False


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
    for process in slow_project.processes():
        process.kill()


def test_all_of_a_killed_commands_dagster_ends(slow: Slow) -> None:
    command = slow.project.start("run")
    step = slow.step()
    assert {command.pid, step} < {process.pid for process in slow.processes()}

    os.kill(command.pid, signal.SIGKILL)
    command.communicate()

    wait_for(lambda: not slow.processes(), until="all of it has ended")


def test_all_of_a_killed_dp_devs_dagster_ends(slow: Slow) -> None:
    with slow.project.served() as served:
        os.kill(served.pid, signal.SIGKILL)
        served.wait()
        wait_for(lambda: not slow.processes(), until="all of it has ended")

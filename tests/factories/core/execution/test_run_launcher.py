"""What run monitoring is told of the process of a run."""

from __future__ import annotations

import os
import subprocess
import sys

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.launcher.base import WorkerStatus

from factories.core.execution.run_launcher import OwnedRunLauncher
from factories.core.process_identity import SERVED_BY, ProcessIdentity


def check(pid: int, served_by: str) -> tuple[WorkerStatus, str | None]:
    """What the launcher says of a run that a process has begun."""
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.add_run(
            dg.DagsterRun("job", status=dg.DagsterRunStatus.STARTED, tags={SERVED_BY: served_by})
        )
        instance.report_engine_event("Started", run, EngineEventData.in_process(pid))
        launcher = OwnedRunLauncher()
        launcher.register_instance(instance)
        found = launcher.check_run_worker_health(run)
    return found.status, found.msg


@pytest.mark.programs
def test_run_whose_process_is_gone_has_failed() -> None:
    here = str(ProcessIdentity.of_this())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        alive = check(process.pid, here)
        process.kill()
        zombie = check(process.pid, here)
        process.wait()
    dead = check(process.pid, here)

    assert alive == (WorkerStatus.RUNNING, None)
    gone = (WorkerStatus.FAILED, f"its process (pid {process.pid}) is gone")
    assert dead == gone
    assert zombie in {gone, alive}  # the system takes a moment to kill it


@pytest.mark.parametrize("served_by", ["another.machine/1@2.0", ""])
def test_nothing_is_said_of_a_run_elsewhere(served_by: str) -> None:
    assert check(2**22 + os.getpid(), served_by) == (WorkerStatus.RUNNING, None)

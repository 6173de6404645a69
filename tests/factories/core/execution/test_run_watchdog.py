"""A step ends soon when the process of its run was killed, and not while the run goes on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import psutil
import pytest

from factories.core.execution import run_watchdog
from factories.core.execution.run_watchdog import terminate_when_run_ends

pytestmark = pytest.mark.programs
FORK = multiprocessing.get_context("fork")
SECONDS = 60


def work_in_step(folder: Path, run_id: str) -> None:
    """Be the step: work until interrupted."""

    def stop(*_: object) -> None:
        raise InterruptedError

    signal.signal(signal.SIGTERM, stop)
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        context: Any = SimpleNamespace(instance=instance, run=SimpleNamespace(run_id=run_id))
        with suppress(InterruptedError), terminate_when_run_ends(context):
            (folder / "step").write_text(str(os.getpid()))
            time.sleep(SECONDS)
            return
    (folder / "ended").touch()


def start_step(folder: Path, run_id: str) -> None:
    """Be the process of the run: start the step, and wait for it."""
    step = FORK.Process(target=work_in_step, args=(folder, run_id))
    step.start()
    step.join()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not (path.exists() and (path.name == "ended" or path.read_text())):
        assert time.monotonic() < deadline, f"no {path.name}"
        time.sleep(0.05)


def test_step_ends_when_its_run_has_failed_and_the_process_of_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_watchdog, "LOOK_SECONDS", 10.0 * SECONDS)  # it is not that look
    monkeypatch.setattr(run_watchdog, "ORPHANED_SECONDS", 0.1)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        run = instance.add_run(dg.DagsterRun("job", status=dg.DagsterRunStatus.STARTED))
    worker = FORK.Process(target=start_step, args=(tmp_path, run.run_id))
    worker.start()
    wait_for(tmp_path / "step")
    step = psutil.Process(int((tmp_path / "step").read_text()))

    os.kill(cast("int", worker.pid), signal.SIGKILL)
    worker.join()
    time.sleep(0.5)
    went_on = step.is_running()
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        instance.report_run_failed(run)
    wait_for(tmp_path / "ended")

    assert went_on

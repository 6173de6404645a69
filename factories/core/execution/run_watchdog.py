"""Ends a step when its run has ended.

A run's process that is killed (by the system, for want of memory) leaves its step processes at
work. Dagster sees that the run has failed, and some time after gives its slot of the pool to the
next run, `free_slots_after_run_end_seconds` in dagster.yaml: two steps would load one table.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

StepContext = dg.AssetExecutionContext | dg.AssetCheckExecutionContext | dg.OpExecutionContext
LOOK_SECONDS = 10.0  # far below the time after which the slot is given away


@contextmanager
def terminate_when_run_ends(context: StepContext) -> Iterator[None]:
    """Interrupt this process, as Dagster does to cancel a step, once the step's run has ended."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(LOOK_SECONDS):
            if _has_ended(context) and not done.is_set():
                os.kill(os.getpid(), signal.SIGTERM)
                return

    watcher = threading.Thread(target=look, name="ends with its run", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _has_ended(context: StepContext) -> bool:
    try:
        run = context.instance.get_run_by_id(context.run.run_id)
    except Exception:  # noqa: BLE001 - whatever the storage raises, the next look may succeed
        return False
    return run is not None and run.is_finished

"""Ends a step when its run has ended.

A run's process that is killed (by the system, for want of memory) leaves its step processes at
work. Dagster sees that the run has failed, repeats it, and some time after gives its slot of the
pool to the next run, `free_slots_after_run_end_seconds` in dagster.yaml: two steps would load one
table.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

StepContext = dg.AssetExecutionContext | dg.AssetCheckExecutionContext | dg.OpExecutionContext
LOOK_SECONDS = 10.0  # far below the time after which the slot is given away
# Once the process that has started this one is gone: a run that is repeated begins seconds later.
ORPHANED_SECONDS = 1.0


@contextmanager
def terminate_when_run_ends(context: StepContext) -> Iterator[None]:
    """Interrupt this process, as Dagster does to cancel a step, once the step's run has ended."""
    done = threading.Event()

    def look() -> None:
        looked = time.monotonic()
        while not done.wait(ORPHANED_SECONDS):
            if time.monotonic() - looked < LOOK_SECONDS and not _is_orphaned():
                continue
            looked = time.monotonic()
            if has_ended(context) and not done.is_set():
                os.kill(os.getpid(), signal.SIGTERM)
                return

    watcher = threading.Thread(target=look, name="ends with its run", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def has_ended(context: StepContext) -> bool:
    """Tell whether the run of a step has ended, though the step has not."""
    try:
        run = context.instance.get_run_by_id(context.run.run_id)
    except Exception:  # noqa: BLE001 - whatever the storage raises, the next look may succeed
        return False
    return run is not None and run.is_finished


def _is_orphaned() -> bool:
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()

"""The launcher of runs that `dagster.yaml` names.

A run whose `dp` was killed stays as it was, and keeps its slots of pools. By its tags the next `dp`
knows that nobody runs it any longer. While a `dp` lives, Dagster's run monitoring asks whether the
run's process does: the code server that watches it may have been killed with it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import dagster as dg
from dagster import DagsterEventType
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

from factories.core.process_identity import (
    SERVED_BY,
    SERVED_BY_VARIABLE,
    ProcessIdentity,
    has_ended,
)

if TYPE_CHECKING:
    from dagster._core.launcher import LaunchRunContext

PID = "pid"  # in the metadata of the event by which a run's process tells that it has started


class OwnedRunLauncher(dg.DefaultRunLauncher):
    """Dagster's own launcher, which knows whose Dagster runs a run, and whether it goes on."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Tag the run with the `dp` whose Dagster runs it, and launch it."""
        if served_by := os.environ.get(SERVED_BY_VARIABLE):
            self._instance.add_run_tags(context.dagster_run.run_id, {SERVED_BY: served_by})
        super().launch_run(context)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Dagster's own says no."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Tell whether the process of a run that has started is still there.

        Of a run that was launched without `dp`, or on another machine, nothing is known: it counts
        as one that goes on.
        """
        owner = ProcessIdentity.of_run(run.tags)
        if owner is not None and owner.is_of_this_machine:
            started = DagsterEventType.ENGINE_EVENT
            for entry in self._instance.all_logs(run.run_id, of_type=started):
                event = entry.dagster_event
                pid = event.engine_event_data.metadata.get(PID) if event else None
                if pid and has_ended(int(str(pid.value)), entry.timestamp):
                    said = f"its process (pid {pid.value}) is gone"
                    return CheckRunHealthResult(WorkerStatus.FAILED, said)
                if pid:
                    break  # those of its steps come later
        return CheckRunHealthResult(WorkerStatus.RUNNING)

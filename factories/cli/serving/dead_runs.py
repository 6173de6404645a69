"""Ends runs that nobody runs any longer, and frees their slots of pools."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from factories.cli.serving.api import FINAL
from factories.core.process_identity import ProcessIdentity

if TYPE_CHECKING:
    import dagster as dg

WILL_RETRY = "dagster/will_retry"
RETRY_RUN = "dagster/auto_retry_run_id"


def end_dead_runs(home: Path, gone: ProcessIdentity | None = None) -> list[str]:
    """End the runs of an instance whose `dp` has died on this machine.

    A run that was launched elsewhere, or without `dp`, is left alone. Dagster does not repeat a run
    that was ended so: whoever wanted it is gone.

    Args:
        home: The instance's folder.
        gone: A process that counts as dead: this one, once its Dagster has ended.

    Returns:
        A sentence for each run.
    """
    import dagster as dg  # noqa: PLC0415 - a second, which only what was interrupted costs

    with dg.DagsterInstance.from_config(str(home)) as instance:
        said = list(_end_unfinished(instance, gone))
        _free_slots(instance, gone)
        _forget_retries(instance, gone)
        return said


def _end_unfinished(instance: dg.DagsterInstance, gone: ProcessIdentity | None) -> Iterator[str]:
    import dagster as dg  # noqa: PLC0415 - see above

    unfinished = [status for status in dg.DagsterRunStatus if status.value not in FINAL]
    for run in instance.get_runs(dg.RunsFilter(statuses=unfinished)):
        owner = _find_dead_owner(run, gone)
        if owner:
            why = f"the dp that ran it (process {owner.pid} on {owner.host}) has ended"
            instance.report_run_canceled(run, f"Ended, because {why}.")
            yield f"ended run {run.run_id[:8]}, which was {run.status.value}: {why}"


def _free_slots(instance: dg.DagsterInstance, gone: ProcessIdentity | None) -> None:
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return
    for run_id in storage.get_concurrency_run_ids():
        run = instance.get_run_by_id(run_id)
        if run and run.is_finished and _find_dead_owner(run, gone):
            storage.free_concurrency_slots_for_run(run_id)


def _forget_retries(instance: dg.DagsterInstance, gone: ProcessIdentity | None) -> None:
    """Have Dagster not repeat what failed just before its `dp` died."""
    import dagster as dg  # noqa: PLC0415 - see above

    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], tags={WILL_RETRY: "true"})
    for run in instance.get_runs(failed):
        if RETRY_RUN not in run.tags and _find_dead_owner(run, gone):
            instance.add_run_tags(run.run_id, {WILL_RETRY: "false"})


def _find_dead_owner(run: dg.DagsterRun, gone: ProcessIdentity | None) -> ProcessIdentity | None:
    owner = ProcessIdentity.of_run(run.tags)
    return owner if owner and (owner == gone or owner.is_dead) else None

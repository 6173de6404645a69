"""Waits for upstream tables that another run is writing just now.

A run looks at its upstream assets when it is asked for, and may then wait in the queue: meanwhile a
load can begin that empties or replaces a table that it reads. Only steps that have begun are waited
for, and a step that waits has not begun to write, so no two runs wait for each other.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import dagster as dg
from dagster import DagsterEventType
from dagster._core.execution.stats import StepEventStatus
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

LOOK_SECONDS = 2.0
MOST_SECONDS = 1800.0  # then the step goes on, and says so


def wait_for_upstream_writers(
    context: dg.AssetExecutionContext,
    *,
    look_seconds: float = LOOK_SECONDS,
    most_seconds: float = MOST_SECONDS,
) -> None:
    """Wait until no other run is writing an asset that a step reads.

    Args:
        context: The step's.
        look_seconds: How long to wait before looking again.
        most_seconds: How long to wait at most.
    """
    upstream = _upstream(context)
    deadline = time.monotonic() + most_seconds
    said: set[str] = set()
    while upstream:
        writers = dict(_writers(context, upstream))
        if not writers:
            return
        names = ", ".join(f"{key} (run {run[:8]})" for key, run in sorted(writers.items()))
        if time.monotonic() > deadline:
            context.log.warning("goes on although another run still writes %s", names)
            return
        if not writers.keys() <= said:
            context.log.info("waiting for what another run is writing: %s", names)
            said |= writers.keys()
        time.sleep(look_seconds)


def _upstream(context: dg.AssetExecutionContext) -> list[dg.AssetKey]:
    """Return the assets that the selected ones of a step read, and that it does not make."""
    selected = context.selected_asset_keys
    deps = context.assets_def.asset_deps
    return sorted({dep for key in selected for dep in deps.get(key, ())} - selected)


def _writers(
    context: dg.AssetExecutionContext, keys: Iterable[dg.AssetKey]
) -> Iterator[tuple[str, str]]:
    """Yield each asset that another run is writing, with the run."""
    instance = context.instance
    for record in instance.get_asset_records(list(keys)):
        entry = record.asset_entry
        made = entry.last_materialization_record
        if not entry.last_run_id or entry.last_run_id == context.run_id:
            continue
        if made is not None and made.run_id == entry.last_run_id:
            continue
        run = instance.get_run_by_id(entry.last_run_id)
        if run is not None and run.status in NOT_FINISHED_STATUSES:
            step = _step_of(instance, entry.asset_key, run.run_id)
            if step and _is_going_on(instance, run.run_id, step):
                yield entry.asset_key.to_user_string(), run.run_id


def _step_of(instance: dg.DagsterInstance, key: dg.AssetKey, run_id: str) -> str | None:
    """Return the step of a run that is to make an asset."""
    planned = instance.get_records_for_run(
        run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    )
    for record in planned.records:
        event = record.event_log_entry.dagster_event
        if event and event.asset_key == key:
            return event.step_key
    return None


def _is_going_on(instance: dg.DagsterInstance, run_id: str, step: str) -> bool:
    found = instance.get_run_step_stats(run_id, [step])
    return any(stats.status is StepEventStatus.IN_PROGRESS for stats in found)

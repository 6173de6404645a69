"""The sensor `run_status`: runs after the end of other jobs' runs, of any code location."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import dagster as dg

from factories.automation.sensor_schema import RunStatusSensor
from factories.automation.sensors.partition import RunPartitions
from factories.automation.sensors.tick import Look, SourceError, Tick, skip

EVENTS_PER_TICK = 500
RUNS_PER_TICK = 50
EVENTS: dict[str, Any] = {
    "success": dg.DagsterEventType.RUN_SUCCESS,
    "failure": dg.DagsterEventType.RUN_FAILURE,
    "canceled": dg.DagsterEventType.RUN_CANCELED,
}
PARTITION_TAG = "dagster/partition"


def look_for_ended_runs(item: RunStatusSensor) -> Look:
    """Return what a sensor of ended runs does at each tick."""
    event = EVENTS[item.status]

    def look(tick: Tick) -> dg.SensorResult:
        instance = tick.context.instance
        if tick.context.cursor is None:
            latest = instance.fetch_run_status_changes(event, limit=1).records
            cursor = latest[0].storage_id if latest else 0
            return skip("Looks for ended runs from now on.", str(cursor))
        cursor = int(tick.context.cursor)
        records = instance.fetch_run_status_changes(
            dg.RunStatusChangeRecordsFilter(event, after_storage_id=cursor),
            limit=EVENTS_PER_TICK,
            ascending=True,
        ).records
        runs = _runs_by_id(instance, {record.run_id for record in records})
        partitions = RunPartitions(tick, item.partition)
        requests: list[dg.RunRequest] = []
        refused: list[str] = []
        for record in records:
            run = runs.get(record.run_id)
            if run is not None and _is_watched(run, tick, item):
                if len(requests) == RUNS_PER_TICK:
                    break
                try:
                    requests.append(_request(tick, item, run, partitions))
                except SourceError as error:
                    # Nobody can put an ended run right: the others must not wait for that.
                    refused.append(f"the run {run.run_id} of {run.job_name} is left out: {error}")
                    tick.context.log.warning(refused[-1])
            cursor = record.storage_id
        if not requests:
            nothing = f"No run has ended with {item.status} since the last look."
            return skip(refused[0] if refused else nothing, str(cursor))
        return partitions.result(requests, str(cursor))

    return look


def _runs_by_id(instance: dg.DagsterInstance, run_ids: Collection[str]) -> dict[str, dg.DagsterRun]:
    if not run_ids:
        return {}
    runs = instance.get_runs(dg.RunsFilter(run_ids=list(run_ids)))
    return {run.run_id: run for run in runs}


def _is_watched(run: dg.DagsterRun, tick: Tick, item: RunStatusSensor) -> bool:
    location = location_of(run)
    here = tick.requests.location
    if run.job_name in item.jobs and location in {None, here}:
        return True
    return f"{location}/{run.job_name}" in item.jobs


def location_of(run: dg.DagsterRun) -> str | None:
    """Return the code location of a run; None where it ran without one, as in a test."""
    origin = run.remote_job_origin
    return origin.repository_origin.code_location_origin.location_name if origin else None


def _request(
    tick: Tick, item: RunStatusSensor, run: dg.DagsterRun, partitions: RunPartitions
) -> dg.RunRequest:
    location = location_of(run) or tick.requests.location
    values = {
        "run_id": run.run_id,
        "ended_job": run.job_name,
        "location": location,
        "partition": run.tags.get(PARTITION_TAG, ""),
    }
    return tick.requests.request(
        run.run_id,
        f"run {run.run_id} of {location}/{run.job_name} ended with {item.status}",
        values=values,
        partition=partitions.key(values),
    )

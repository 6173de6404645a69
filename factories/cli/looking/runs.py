"""`dp runs`: the last runs of the instance, and why each was there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG, SCHEDULE_NAME_TAG, SENSOR_NAME_TAG

from factories.cli.looking.instance import iso
from factories.cli.looking.run_failure import read_failure
from factories.core.conditions.run_tags import CAUSE_TAG, CONDITION_TAG, LOCATION_TAG
from factories.core.process_identity import LAUNCHED_BY


@dataclass(frozen=True)
class RunRow:
    """One run.

    Attributes:
        run: Its id.
        at: When it started, else when it was asked for.
        status: Dagster's, in lower case.
        seconds: How long it took, or has taken; None before it starts.
        assets: How many assets it is to make.
        launched_by: `dp run`, or the schedule or sensor; None when no tag says it.
        condition: The automation condition that asked for it.
        cause: Why.
        location: The code location.
        partition: The partition that it makes, when it makes one.
        job: Its job; Dagster's own for chosen assets is `__ASSET_JOB`.
        error: The first line of why it failed.
    """

    run: str
    at: str
    status: str
    seconds: float | None
    assets: int
    launched_by: str | None
    condition: str | None
    cause: str | None
    location: str | None
    partition: str | None
    job: str
    error: str | None


def read_runs(instance: dg.DagsterInstance, limit: int, now: float) -> list[RunRow]:
    """Return the last runs, the latest first."""
    return [_row(instance, record, now) for record in instance.get_run_records(limit=limit)]


def assets_of_run(instance: dg.DagsterInstance, run: dg.DagsterRun) -> set[str]:
    """Return the assets that a run is to make."""
    keys = run.asset_selection
    if keys is None:  # a run of a job, whose assets its plan names
        planned = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
        keys = instance.event_log_storage.get_asset_keys_for_run(run.run_id, planned)
    return {key.to_user_string() for key in keys}


def _row(instance: dg.DagsterInstance, record: dg.RunRecord, now: float) -> RunRow:
    run, start = record.dagster_run, record.start_time
    origin = run.remote_job_origin
    failed = run.status is dg.DagsterRunStatus.FAILURE
    return RunRow(
        run=run.run_id,
        at=iso(start or record.create_timestamp.timestamp()),
        status=run.status.value.lower(),
        seconds=round((record.end_time or now) - start, 1) if start else None,
        assets=len(assets_of_run(instance, run)),
        launched_by=_launched_by(run.tags),
        condition=run.tags.get(CONDITION_TAG),
        cause=run.tags.get(CAUSE_TAG),
        location=run.tags.get(LOCATION_TAG) or (origin.location_name if origin else None),
        partition=run.tags.get(PARTITION_NAME_TAG),
        job=run.job_name,
        error=read_failure(instance, record).text if failed else None,
    )


def _launched_by(tags: Mapping[str, str]) -> str | None:
    if LAUNCHED_BY in tags:
        return "dp run"
    for kind, tag in (("schedule", SCHEDULE_NAME_TAG), ("sensor", SENSOR_NAME_TAG)):
        if tag in tags:
            return f"{kind} {tags[tag]}"
    return None

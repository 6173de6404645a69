"""Checks whose result is unknown, as a table that they read was missing: they run once it is there.

With an automation condition of its own such a check would no longer run along with its asset: of
automation's runs Dagster leaves out checks that have one. So a sensor asks for them, whatever
evaluates the conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)
from dagster._core.storage.dagster_run import RunsFilter
from dagster._core.storage.tags import SENSOR_NAME_TAG
from dagster._time import get_current_timestamp

from factories.core.conditions.run_facts import chunks
from factories.core.conditions.run_tags import ATTEMPT_TAG, CAUSE_TAG

NAME = "unknown_checks"
ALSO_READS = "also_reads"  # in a check's metadata: the assets that it reads beside its own
UNKNOWN = "unknown"  # in a result's metadata: why it is none
TRIES = 3
RETRY_SECONDS = 300.0

Records = Mapping[dg.AssetCheckKey, AssetCheckExecutionRecord]


def unknown_metadata(missing: dg.AssetKey, looked_at: float) -> dict[str, dg.MetadataValue]:
    """Return the metadata of a result that is unknown.

    Args:
        missing: The asset whose table was missing.
        looked_at: When that was seen, in seconds since 1970.
    """
    seen = {"missing": missing.to_user_string(), "looked_at": looked_at}
    return {UNKNOWN: dg.MetadataValue.json(seen)}


def may_be_unknown(assets: Iterable[object]) -> list[dg.AssetCheckKey]:
    """Return the checks of some assets that read more than their own."""
    specs = [
        spec
        for asset in assets
        if isinstance(asset, dg.AssetsDefinition)
        for spec in asset.check_specs
    ]
    return sorted(spec.key for spec in specs if spec.metadata and spec.metadata.get(ALSO_READS))


def unknown_checks_sensor(
    keys: Sequence[dg.AssetCheckKey], default_status: dg.DefaultSensorStatus
) -> dg.SensorDefinition:
    """Return the sensor that asks for checks whose missing table is there now.

    Args:
        keys: The checks to look at.
        default_status: Whether it is on when it is first loaded.
    """

    @dg.sensor(
        name=NAME,
        target=dg.AssetSelection.all(),
        default_status=default_status,
        minimum_interval_seconds=30,
        description="Runs the checks whose result is unknown, as a table that they read did not"
        " exist, once that table was made.",
    )
    def unknown_checks(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest]:
        storage = context.instance.event_log_storage
        records = {
            key: record
            for chunk in chunks([*keys])
            for key, record in storage.get_latest_asset_check_execution_by_key(chunk).items()
        }
        yield from _of_tables_that_came(context.instance, records)
        yield from _of_failed_runs(context.instance, records)

    return unknown_checks


def _of_tables_that_came(instance: dg.DagsterInstance, records: Records) -> Iterator[dg.RunRequest]:
    """Yield one run for all checks whose table was made since it was missed."""
    unknown = {key: found for key, record in records.items() if (found := _unknown(record))}
    missing = {dg.AssetKey.from_user_string(found["missing"]) for found in unknown.values()}
    made = {
        record.asset_entry.asset_key.to_user_string(): last.timestamp
        for record in instance.get_asset_records([*missing])
        if (last := record.asset_entry.last_materialization_record)
    }
    due = sorted(
        key
        for key, found in unknown.items()
        if made.get(found["missing"], 0.0) > found["looked_at"]
    )
    if due:
        came = ", ".join(sorted({unknown[key]["missing"] for key in due}))
        cause = f"checks were unknown without {came}"
        yield _request(",".join(str(records[key].id) for key in due), due, cause, 1)


def _of_failed_runs(instance: dg.DagsterInstance, records: Records) -> Iterator[dg.RunRequest]:
    """Yield a further try for each run of this sensor that came to no result."""
    planned = AssetCheckExecutionRecordStatus.PLANNED
    left: dict[str, list[dg.AssetCheckKey]] = {}
    for key, record in records.items():
        if record.status is planned:
            left.setdefault(record.run_id, []).append(key)
    for chunk in chunks([*left]):
        for found in instance.get_run_records(RunsFilter(run_ids=chunk)):
            run = found.dagster_run
            attempt = int(run.tags.get(ATTEMPT_TAG, "1"))
            ended = found.end_time or found.update_timestamp.timestamp()
            if (
                run.is_failure_or_canceled
                and run.tags.get(SENSOR_NAME_TAG) == NAME
                and attempt <= TRIES
                and get_current_timestamp() >= ended + RETRY_SECONDS
            ):
                cause = f"run {run.run_id[:8]} failed: try {attempt + 1}"
                yield _request(run.run_id, sorted(left[run.run_id]), cause, attempt + 1)


def _request(run_key: str, keys: list[dg.AssetCheckKey], cause: str, attempt: int) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=run_key,
        asset_selection=[],
        asset_check_keys=keys,
        tags={CAUSE_TAG: cause, ATTEMPT_TAG: str(attempt)},
    )


def _unknown(record: AssetCheckExecutionRecord) -> dict[str, Any] | None:
    if record.status is not AssetCheckExecutionRecordStatus.FAILED or record.evaluation is None:
        return None
    value = record.evaluation.metadata.get(UNKNOWN)
    return value.data if isinstance(value, dg.JsonMetadataValue) else None  # type: ignore[return-value]

"""`dp status`: how each asset is, and why it is not running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.tags import PARTITION_NAME_TAG

from factories.cli.asset_facts import FreshnessFacts
from factories.cli.looking.assets import ProjectAsset
from factories.cli.looking.condition_words import describe_evaluation
from factories.cli.looking.instance import iso
from factories.cli.looking.run_failure import read_failure
from factories.cli.looking.runs import assets_of_run
from factories.core.conditions.times import last_tick, next_tick

FAILED_RUNS = 100  # the last ones, in which an asset's last error is looked for
ROW_COUNT = "dagster/row_count"


@dataclass(frozen=True)
class LastError:
    """Why an asset was not made in its last failed run.

    Attributes:
        at: When.
        run: The run's id.
        text: The first line of the error.
        mended: Whether the asset, or the partition that failed, was made since.
    """

    at: str
    run: str
    text: str
    mended: bool


@dataclass(frozen=True)
class AssetStatus:
    """How an asset is.

    Attributes:
        asset: Its key.
        last_success: When it was last made.
        rows: Rows of the table then.
        freshness: `pass`, `warn`, `fail` or `unknown`, as its policy says now; None without one.
        failed_checks: The checks that failed when they were last evaluated.
        last_error: Of its last failed run.
        next_tick: Of the cron of its automation condition.
        why: Why it is not running, or the run that makes it.
        why_since: When the evaluation that says so was made.
    """

    asset: str
    last_success: str | None = None
    rows: int | None = None
    freshness: str | None = None
    failed_checks: tuple[str, ...] = ()
    last_error: LastError | None = None
    next_tick: str | None = None
    why: str = ""
    why_since: str | None = None


def read_statuses(
    instance: dg.DagsterInstance | None, assets: Sequence[ProjectAsset], now: float
) -> list[AssetStatus]:
    """Return how assets are.

    Args:
        instance: None when nothing has run yet.
        assets: Those to tell of.
        now: The moment, in seconds since 1970.
    """
    if instance is None:
        return [_status(asset, None, now, why=_why(asset, None)) for asset in assets]
    found = instance.get_asset_records([_key(asset.key) for asset in assets])
    entries = {record.asset_entry.asset_key.to_user_string(): record for record in found}
    running = _running(instance)
    errors = _last_errors(instance, {asset.key for asset in assets})
    return [
        _status(
            asset,
            _last_materialization(entries.get(asset.key)),
            now,
            failed_checks=_failed_checks(instance, asset),
            last_error=errors.get(asset.key),
            why=(running[asset.key], None) if asset.key in running else _why(asset, instance),
        )
        for asset in assets
    ]


def _status(
    asset: ProjectAsset,
    made: dg.EventLogEntry | None,
    now: float,
    *,
    why: tuple[str, float | None],
    failed_checks: tuple[str, ...] = (),
    last_error: LastError | None = None,
) -> AssetStatus:
    condition, freshness = asset.report.condition, asset.report.freshness
    crons = condition.crons if condition and not condition.off else ()
    ticks = [next_tick(cron.schedule, cron.timezone, now) for cron in crons]
    at = made.timestamp if made else None
    return AssetStatus(
        asset.key,
        last_success=iso(at) if at else None,
        rows=_rows(made),
        freshness=freshness_state(freshness, at, now) if freshness else None,
        failed_checks=failed_checks,
        last_error=last_error,
        next_tick=iso(min(ticks)) if ticks else None,
        why=why[0],
        why_since=iso(why[1]) if why[1] else None,
    )


def freshness_state(policy: FreshnessFacts, made_at: float | None, now: float) -> str:
    """Return how fresh an asset is, by Dagster's rules.

    What Dagster has stored is only what a daemon last saw.
    """
    if made_at is None:
        return "unknown"
    if deadline := policy.deadline:
        due = last_tick(deadline.schedule, deadline.timezone, now)
        return "pass" if made_at >= due - policy.within else "fail"
    if now - made_at >= policy.fail_after:
        return "fail"
    late = policy.warn_after is not None and now - made_at >= policy.warn_after
    return "warn" if late else "pass"


def _key(text: str) -> dg.AssetKey:
    return dg.AssetKey.from_user_string(text)


def _last_materialization(record: dg.AssetRecord | None) -> dg.EventLogEntry | None:
    return record.asset_entry.last_materialization if record else None


def _rows(made: dg.EventLogEntry | None) -> int | None:
    materialization = made.asset_materialization if made else None
    value = materialization.metadata.get(ROW_COUNT) if materialization else None
    return value.value if isinstance(value, dg.IntMetadataValue) else None


def _failed_checks(instance: dg.DagsterInstance, asset: ProjectAsset) -> tuple[str, ...]:
    keys = [dg.AssetCheckKey(_key(asset.key), name) for name in asset.checks]
    records = instance.event_log_storage.get_asset_check_summary_records(keys)
    failed = AssetCheckExecutionRecordStatus.FAILED
    return tuple(
        key.name
        for key in keys
        if (last := records[key].last_completed_check_execution_record) and last.status is failed
    )


def _running(instance: dg.DagsterInstance) -> dict[str, str]:
    """Return what is told of the assets of runs that have not ended."""
    unfinished = dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES))
    told: dict[str, str] = {}
    for run in instance.get_runs(unfinished):
        for key in assets_of_run(instance, run):
            told.setdefault(key, f"Run {run.run_id[:8]} is {run.status.value.lower()}")
    return told


def _last_errors(instance: dg.DagsterInstance, keys: set[str]) -> Mapping[str, LastError]:
    """Return the last error of each asset that has one."""
    left, found = set(keys), dict[str, LastError]()
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])
    for record in instance.get_run_records(failed, limit=FAILED_RUNS):
        run = record.dagster_run
        if not left & assets_of_run(instance, run):
            continue
        failure = read_failure(instance, record)
        for key in left & failure.assets.keys():
            partition = run.tags.get(PARTITION_NAME_TAG)
            mended = _was_made_since(instance, key, partition, failure.at)
            found[key] = LastError(iso(failure.at), run.run_id, failure.assets[key], mended)
        left -= found.keys()
    return found


def _was_made_since(
    instance: dg.DagsterInstance, key: str, partition: str | None, moment: float
) -> bool:
    since = dg.AssetRecordsFilter(
        _key(key),
        asset_partitions=[partition] if partition else None,
        after_timestamp=moment,
    )
    return bool(instance.fetch_materializations(since, limit=1).records)


def _why(asset: ProjectAsset, instance: dg.DagsterInstance | None) -> tuple[str, float | None]:
    """Return why an asset is not running, and since when that is known."""
    condition = asset.report.condition
    if condition is None:
        return "No automation condition: it runs when it is asked for", None
    if condition.off:
        return condition.off, None
    storage = instance.schedule_storage if instance else None
    records = storage and storage.get_auto_materialize_asset_evaluations(_key(asset.key), limit=1)
    if not records:
        return "Its automation condition has not been evaluated yet", None
    evaluation = records[0].get_evaluation_with_run_ids().evaluation
    return describe_evaluation(evaluation, condition.name), records[0].timestamp

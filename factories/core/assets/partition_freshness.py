"""The check `partition_freshness`: whether the last partition was made by its deadline.

Dagster's policies are of a whole asset: an old partition that is made again counts as an update.
Its `build_time_partition_freshness_checks` looks at partitions, and is superseded by the policies;
the sensor that runs it never looks again after a first evaluation that came to no result, and the
check fails as a program before the first partition has ended. So the check is one of our own, which
the automation sensor asks for at each deadline, as it asks for the checks of dbt's sources.
"""

# Dagster reads the annotations of an op's function: they must not be postponed here.

import time
from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from factories.core.conditions.times import last_tick, moment_text
from factories.core.meta.condition_lookup import automation_condition
from factories.core.meta.dagster_meta import DagsterMeta

CHECK = "partition_freshness"
DEADLINE = "dp/partition_deadline"  # the metadata of an asset that says when


def deadline_metadata(meta: DagsterMeta) -> dict[str, dg.MetadataValue[Any]]:
    """Return the metadata of an asset whose partitions have deadlines; else none."""
    spec = meta.freshness
    if spec is None or not spec.per_partition:
        return {}
    return {DEADLINE: dg.MetadataValue.json({"cron": spec.cron, "timezone": spec.timezone})}


def partition_freshness_checks(assets: Iterable[Any]) -> Iterator[dg.AssetChecksDefinition]:
    """Yield the op that checks the assets whose partitions have deadlines, if there are any.

    Args:
        assets: The location's assets, with their final keys.
    """
    deadlines = {
        spec.key: spec.metadata[DEADLINE].value
        for asset in assets
        if isinstance(asset, dg.AssetsDefinition)
        for spec in asset.specs
        if DEADLINE in spec.metadata
    }
    if not deadlines:
        return

    @dg.multi_asset_check(
        name="freshness__partitions",
        specs=[_check_spec(key, **deadline) for key, deadline in deadlines.items()],
        can_subset=True,
    )
    def check_partitions(context: dg.AssetCheckExecutionContext) -> Iterable[dg.AssetCheckResult]:
        for check in sorted(context.selected_asset_check_keys):
            yield _check(context, check.asset_key, **deadlines[check.asset_key])

    yield check_partitions


def _check_spec(key: dg.AssetKey, cron: str, timezone: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        CHECK,
        asset=key,
        description=f"At {cron} ({timezone}) the last partition that has ended was made.",
        automation_condition=automation_condition(
            "on_cron_no_deps",
            cron_schedule=cron,
            cron_timezone=timezone,
            ignore=[key.to_user_string()],  # it waits for nothing
        ),
    )


def _check(
    context: dg.AssetCheckExecutionContext, key: dg.AssetKey, cron: str, timezone: str
) -> dg.AssetCheckResult:
    """Look for the last partition that had ended by the last deadline."""
    deadline = last_tick(cron, timezone, time.time())
    partitions = context.job_def.asset_layer.get(key).partitions_def
    assert isinstance(partitions, dg.TimeWindowPartitionsDefinition)  # noqa: S101 - YAML is checked
    expected = _last_ended(partitions, deadline)
    at = moment_text(deadline, timezone)
    if expected is None:
        text = f"No partition had ended by {at}."
        return _result(key, None, passed=True, text=text)
    asked = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[expected])
    made = context.instance.fetch_materializations(asked, limit=1).records
    if not made:
        text = f"The partition {expected} was to be made by {at}, and was not."
        return _result(key, expected, passed=False, text=text)
    when = moment_text(made[0].timestamp, timezone)
    return _result(key, expected, passed=True, text=f"{expected} was made at {when}.")


def _result(
    key: dg.AssetKey, partition: str | None, *, passed: bool, text: str
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=CHECK,
        passed=passed,
        description=text,
        metadata={"partition": partition} if partition else {},
    )


def _last_ended(partitions: dg.TimeWindowPartitionsDefinition, deadline: float) -> str | None:
    """Return the last partition that had ended by a moment."""
    last = partitions.get_last_partition_key()
    window = partitions.time_window_for_partition_key(last) if last else None
    while window and window.end.timestamp() > deadline:
        window = partitions.get_prev_partition_window(window.start)
    if window is None:
        return None
    return partitions.get_partition_key_range_for_time_window(window).start

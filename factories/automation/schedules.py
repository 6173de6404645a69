"""Schedules: when they tick, and which partitions they run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from factories.automation.entries import Entry
from factories.automation.run_requests import RunRequests
from factories.automation.schema import ScheduleItem
from factories.automation.status import describe, is_on
from factories.core.dagster_internals import ticks_before
from factories.core.meta.environments import why_off_here


def build_schedule(entry: Entry[ScheduleItem], requests: RunRequests) -> dg.ScheduleDefinition:
    """Return a schedule of YAML."""
    item = entry.item

    def evaluate(
        context: dg.ScheduleEvaluationContext,
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        if elsewhere := why_off_here(item.environments, os.environ):
            yield dg.SkipReason(elsewhere)  # whoever has switched it on
            return
        moment = context.scheduled_execution_time
        cause = f"schedule {entry.name}, tick {moment:%Y-%m-%d %H:%M %Z}"
        partitions = requests.partitions(context.repository_def)
        if partitions is None:
            # Within a tick Dagster asks once for each run key, also after a crash.
            yield requests.request("all", cause)
            return
        keys = ended_partitions(partitions, moment, item)
        if not keys:
            yield dg.SkipReason("No partition has ended since the tick before this one.")
        for key in keys:
            yield requests.request(key, cause, partition=key)

    running = dg.DefaultScheduleStatus.RUNNING
    return dg.ScheduleDefinition(
        name=entry.name,
        cron_schedule=item.cron,
        execution_timezone=item.timezone,
        job_name=requests.job,
        execution_fn=evaluate,
        description=describe(item),
        tags=item.tags,
        default_status=running if is_on(item) else dg.DefaultScheduleStatus.STOPPED,
    )


def ended_partitions(partitions: Any, moment: datetime, item: ScheduleItem) -> Sequence[str]:
    """Return the partitions that a tick runs.

    Of partitions by time those that have ended since the tick before: one, where the schedule ticks
    as often as they end; several where it ticks less often, none where it already ran them. An
    `end_offset` moves their end. Of static ones, all.
    """
    if isinstance(partitions, dg.StaticPartitionsDefinition):
        return partitions.get_partition_keys()
    ticks = ticks_before(moment, item.cron, item.timezone)
    before = next(tick for tick in ticks if tick < moment)
    with dg.partition_loading_context(effective_dt=before):
        known = partitions.get_last_partition_window()
    with dg.partition_loading_context(effective_dt=moment):
        last = partitions.get_last_partition_window()
        if last is None or (known is not None and last.end <= known.end):
            return []
        start = known.end if known else partitions.get_first_partition_window().start
        keys: Sequence[str] = partitions.get_partition_keys_in_time_window(
            dg.TimeWindow(start, last.end)
        )
    return keys

"""The window of time, or the keys, that a running step covers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from factories.core.errors import StepStartError

TIMESTAMP = "%Y-%m-%d %H:%M:%S"  # how its bounds reach a tool


@dataclass(frozen=True)
class Window:
    """A half-open span of time, start <= x < end, in the partitions' own time zone."""

    start: datetime
    end: datetime


class UnreadableWindowError(StepStartError):
    """A partitioned asset runs without a partition: loading everything instead would be wrong."""


def window(context: dg.AssetExecutionContext) -> Window | tuple[str, ...] | None:
    """Return what part of its assets this run covers.

    A single-run backfill over a range has no partition key but a range (dagster: in it
    `has_partition_key` is False), so the time window is asked for, which both have.

    Returns:
        A window of time, the selected keys of static partitions, or None for assets that have
        no partitions.

    Raises:
        UnreadableWindowError: When the assets are partitioned and the run names no partition.
    """
    definition = context.assets_def.partitions_def
    if definition is None:
        return None
    if not (context.has_partition_key or context.has_partition_key_range):
        raise UnreadableWindowError(
            "the assets are partitioned but the run names no partition: launch it for a partition"
            " or a range of them"
        )
    if isinstance(definition, dg.TimeWindowPartitionsDefinition):
        span = context.partition_time_window
        # By the instant: of one zone, Python compares wall times, which autumn repeats.
        if span.start.timestamp() >= span.end.timestamp():
            raise UnreadableWindowError(
                f"the partitions' window is empty: {span.start} to {span.end}"
            )
        return Window(span.start, span.end)
    return tuple(context.partition_keys)

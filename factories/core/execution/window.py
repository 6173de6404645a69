"""The window of time, or the keys, that a running step covers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg

from factories.core.errors import StepStartError

TIMESTAMP = "%Y-%m-%d %H:%M:%S"  # how its bounds reach a tool


@dataclass(frozen=True)
class Window:
    """A half-open span of time, start <= x < end, in the partitions' own time zone."""

    start: datetime
    end: datetime

    @property
    def times_of_day(self) -> tuple[datetime, datetime]:
        """The bounds for what is without zone, and holds the time of day in the partitions' own.

        In autumn an hour of it is repeated, and a time of day does not say which of the two hours
        it is in: both of their partitions have it. The bounds alone would make the first one empty,
        from 02:00 to 02:00.
        """
        end = self.end.replace(tzinfo=None) + _find_shift(self.end)
        return self.start.replace(tzinfo=None), end


def _find_shift(moment: datetime) -> timedelta:
    """Return how far the clocks were set back, when this is the repeated hour's second time."""
    first, now = moment.replace(fold=0).utcoffset(), moment.utcoffset()
    return first - now if moment.fold and first and now is not None else timedelta()


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

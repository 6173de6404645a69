"""Windows of time: which models can be built for one, and how it reaches them."""

from __future__ import annotations

from datetime import datetime, timedelta

from factories.core.meta.partitions import TIMESTAMP, UnreadableWindowError, Window
from factories.dbt.project.project import Model

# How the window of a partition reaches the models: start <= x < end, in the partitions' zone.
WINDOW_VARS = ("window_start", "window_end")


def window_problem(model: Model) -> tuple[str, str] | None:
    """Return the key of the block, and why a model cannot be built for a window as it says."""
    meta = model.meta
    for name, spec in (("partition", meta.partition), ("backfill", meta.backfill)):
        if spec is None:
            continue
        if model.node.materialized != "incremental":
            return name, (
                f"{name}: {model.node.name} is a {model.node.materialized}: a window would replace"
                " the other windows' rows, so it must be incremental"
            )
        if spec.type == "static":
            return name, f"{name}: dbt models have windows of time only"
    if meta.partition and meta.backfill:
        return "backfill", "backfill: a partitioned model is backfilled by its partitions"
    return None


def given_window(start: str | None, end: str | None) -> Window:
    """Return the window that a run's configuration names.

    Raises:
        UnreadableWindowError: When a bound is missing or no time, or the window is empty.
    """
    names = " and ".join(WINDOW_VARS)
    try:
        first, last = (datetime.fromisoformat(str(bound)) for bound in (start, end))
    except ValueError:
        message = f"{names} must both be timestamps like 2013-07-01 00:00:00"
        raise UnreadableWindowError(message) from None
    if (first.tzinfo is None) != (last.tzinfo is None):
        raise UnreadableWindowError(f"{names}: one has an offset, one has none")
    if first >= last:
        raise UnreadableWindowError("window_end must come after window_start")
    return Window(first, last)


def window_variables(window: Window | None) -> dict[str, str]:
    """Return the two variables that limit models to a window.

    They are times of day, in which the hour that autumn repeats is one: both of its partitions
    build all of it. The first would be empty else, from 02:00 to 02:00.
    """
    if window is None:
        return {}
    start, end = WINDOW_VARS
    last = window.end.replace(tzinfo=None) + _repeated(window.end)
    return {start: window.start.strftime(TIMESTAMP), end: last.strftime(TIMESTAMP)}


def _repeated(moment: datetime) -> timedelta:
    """Return how far the clocks were set back, when the moment's time of day is the second."""
    first, now = moment.replace(fold=0).utcoffset(), moment.utcoffset()
    return first - now if moment.fold and first and now is not None else timedelta()

"""Windows of time: reading one from a run's configuration, and passing it to dbt."""

from __future__ import annotations

from datetime import datetime, timedelta

from factories.core.execution.window import TIMESTAMP, UnreadableWindowError, Window

# The variables that bound a model's rows: start <= x < end, in the timezone of the partitions.
WINDOW_VARS = ("window_start", "window_end")


def configured_window(start: str | None, end: str | None) -> Window:
    """Return the window that a run's configuration names.

    Raises:
        UnreadableWindowError: When a bound is missing or not a timestamp, or the window is empty.
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

    They are local times, so the hour that is repeated in autumn occurs once: both of its
    partitions build all of it. Otherwise the first would be empty, from 02:00 to 02:00.
    """
    if window is None:
        return {}
    start, end = WINDOW_VARS
    last = window.end.replace(tzinfo=None) + _repeated(window.end)
    return {start: window.start.strftime(TIMESTAMP), end: last.strftime(TIMESTAMP)}


def _repeated(moment: datetime) -> timedelta:
    """Return how far the clocks were set back, when this is the repeated hour's second time."""
    first, now = moment.replace(fold=0).utcoffset(), moment.utcoffset()
    return first - now if moment.fold and first and now is not None else timedelta()

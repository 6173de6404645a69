"""Windows of time: reading one from a run's configuration, and passing it to dbt."""

from __future__ import annotations

from datetime import UTC, datetime, timezone

from factories.core.execution.window import UnreadableWindowError, Window

# The variables that bound a model's rows: start <= x < end.
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

    Each is the time of day in the partitions' zone, with that zone's offset: Snowflake takes the
    time of day where it compares the text with a date or a timestamp without zone, and the instant
    where it compares it with one that has a zone, whatever the session's own zone is.

    Times of day repeat an hour in autumn, so the end of its first partition is written an hour
    later by the offset of before, which is the same instant: see `Window.times_of_day`.
    """
    if window is None:
        return {}
    start, end = WINDOW_VARS
    if window.end.tzinfo is None:  # a person's own, without an offset
        return {start: window.start.isoformat(" "), end: window.end.isoformat(" ")}
    _, last = window.times_of_day
    return {start: window.start.isoformat(" "), end: _with_offset(last, window.end)}


def _with_offset(wall: datetime, moment: datetime) -> str:
    """Return a time of day with the offset by which it is a moment."""
    offset = wall - moment.astimezone(UTC).replace(tzinfo=None)
    return wall.replace(tzinfo=timezone(offset)).isoformat(" ")

"""The bounds of partitions as a `datetime_format` writes them, and whether it can."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from factories.core.execution.window import Window
from factories.core.meta.partitions import PartitionSpec
from factories.dlt.errors import SourceError

# The ends of patterns that are texts in UTC.
UTC_ENDS = ("Z", "+00:00", "+0000")
DIRECTIVE = re.compile(r"%(:?.?)")
KNOWN = frozenset("YyGmdjHIMSfpaAbBuwUWV%")
ZONES = frozenset({"z", ":z", "Z"})
UNIT = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
}
# So many partitions, months and years from the first on are tried.
PARTITIONS, MONTHS, YEARS = 50, 36, 30


def bounds(covered: Window, form: str | None) -> tuple[Any, Any]:
    """Return the bounds of a window as they are compared with the cursor's field.

    The hour that autumn repeats is one for a field without zone: both of its partitions have all
    of it, as Sling's have. Otherwise the first would load nothing.

    Args:
        covered: The window of the run's partitions.
        form: A value of `datetime_format`; None for a time with a zone.

    Raises:
        SourceError: When a date cannot express a bound.
    """
    of_text = form is not None and "%" in form and not form.endswith(UTC_ENDS)
    wall = form == "timestamp_ntz" or of_text
    start, end = covered.times_of_day if wall else (covered.start, covered.end)
    return bound(start, form), bound(end, form)


def bound(moment: datetime, form: str | None) -> Any:
    """Return a partition's bound as it is compared with the cursor's field.

    A time without zone is wall time in the partitions' own zone, as Sling's windows have it.

    Args:
        moment: A time in the partitions' own zone.
        form: A value of `datetime_format`; None for a time with a zone.

    Raises:
        SourceError: When a date cannot express the bound.
    """
    if form is None or form == "timestamp":
        # Not in its own zone, where Python takes the hour that autumn repeats for one.
        return moment.astimezone(UTC)
    if form == "timestamp_ntz":
        return moment.replace(tzinfo=None, fold=0)
    if form == "date":
        if (moment.hour, moment.minute) != (0, 0):
            raise SourceError(
                "the cursor's field holds dates, which cannot distinguish one hour from the next:"
                " partition by day or longer"
            )
        return moment.date()
    if form == "epoch":
        return int(moment.timestamp())
    if form == "epoch_ms":
        return int(moment.timestamp()) * 1000
    if form.endswith(UTC_ENDS):
        moment = moment.astimezone(UTC)
    return moment.strftime(form)


def format_mistake(form: str, partition: PartitionSpec) -> str | None:
    """Return why partitions cannot be told apart by a cursor's field of this format.

    Bounds in another order than the text's own, or with less than their whole time, make windows
    that hold other rows than the partition's, or none, and nothing else would show it.

    Args:
        form: A value of `datetime_format`.
        partition: Partitions of time.
    """
    if form == "date" and partition.type == "hourly":
        return "dates cannot distinguish one hour from the next: partition by day or longer"
    if "%" not in form:
        return None
    return _directive_mistake(form) or _bound_mistake(form, partition)


def _directive_mistake(form: str) -> str | None:
    for directive in DIRECTIVE.findall(form):
        if directive in ZONES:
            return (
                f"text with a zone is compared as text: write +00:00 or Z for %{directive}, as the"
                " field has it; times in other zones cannot be compared"
            )
        if directive not in KNOWN:
            return f"{f'%{directive}'!r} is not a directive of strftime"
    return None


def _bound_mistake(form: str, partition: PartitionSpec) -> str | None:
    in_utc = form.endswith(UTC_ENDS)
    zone = ZoneInfo(partition.timezone) if in_utc else None
    written = [
        (moment, str(bound(moment.replace(tzinfo=zone), form))) for moment in _bounds(partition)
    ]
    for moment, text in written:
        given = moment.replace(tzinfo=zone).astimezone(UTC) if in_utc else moment
        if not _says(text, form, given.replace(tzinfo=None)):
            return f"{form!r} leaves out a part of the bound {given:%Y-%m-%d %H:%M}: it is {text!r}"
    for (_, sooner), (_, later) in pairwise(written):
        if sooner >= later:
            return f"{form!r} does not sort as time does: {sooner!r} is the time before {later!r}"
    return None


def _bounds(partition: PartitionSpec) -> Iterator[datetime]:
    """Yield bounds of partitions in order, without zone: wall time that no clock change repeats."""
    first = datetime.fromisoformat(str(partition.start))
    found: set[datetime] = set()
    if partition.type != "monthly":
        found |= {first + n * UNIT[partition.type] for n in range(PARTITIONS)}
    if partition.type != "weekly":
        found |= {_later(first, n) for n in (*range(MONTHS), *range(0, YEARS * 12, 12))}
    yield from sorted(found)


def _later(first: datetime, months: int) -> datetime:
    """Return the first day of a later month, at the same time of the day."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return first.replace(year=year, month=month + 1, day=1)


def _says(text: str, form: str, moment: datetime) -> bool:
    """Tell whether a text holds the whole of a time; one that cannot be read back may."""
    try:
        return datetime.strptime(text, form) == moment  # noqa: DTZ007 - compared with wall time
    except ValueError:
        return True

"""Whether the values of a cursor can be compared with the bounds of a partition.

Bounds of another kind than the values select other rows than the partition's: times without zone
beside instants, text of another shape than the pattern, milliseconds beside seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from dlt.common.time import detect_datetime_format

from factories.core.execution.window import Window
from factories.dlt.config.time_formats import DIRECTIVE, UTC_ENDS, bounds

ZONE = re.compile("%:?z$")
# How many digits or what letters stand for a directive of strftime.
SHAPES = {
    "Y": r"\d{4}", "G": r"\d{4}", "f": r"\d{6}", "j": r"\d{3}", "p": r"\w+", "%": "%",
    **dict.fromkeys("ymdHIMSUWV", r"\d\d"),
    **dict.fromkeys("aAbB", r"\w+"),
    "u": r"\d",
}  # fmt: skip
KINDS = {
    "timestamp": "times with a zone",
    "timestamp_ntz": "times without zone",
    "date": "dates",
    "text": "text",
    "number": "numbers",
}
# Patterns that dlt does not know.
WRITTEN = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")
# As seconds these are years beyond 5000, and as milliseconds some day early in 1970.
LARGEST_SECONDS = 10**11
SMALL_MILLISECONDS = (10**8, 10**10)


class CursorFormatError(Exception):
    """Rows hold time in another way than the partition's bounds do; the text says what to write."""


class CursorValues:
    """The values of a cursor, in a run for partitions."""

    def __init__(self, path: str, form: str | None, covered: Window) -> None:
        """Take the cursor.

        Args:
            path: Where the value stands in a row.
            form: The `datetime_format` of YAML, or what the source says; None for instants.
            covered: The window of the run's partitions.
        """
        self._path = path
        self._form = form or "timestamp"
        self._covered = covered
        self._shape = _shape(self._form) if "%" in self._form else None

    def check(self, value: Any, *, strict: bool = False) -> None:
        """Refuse a value that cannot be compared with the window's bounds.

        Args:
            value: The value; one that is missing is the business of `on_cursor_value_missing`.
            strict: Refuse also text whose shape is not the pattern's, though its order is.

        Raises:
            CursorFormatError: When it cannot; says what to write.
        """
        if value is None:
            return
        kind = _kind(value)
        if kind is None:
            return  # of which dlt says more
        if kind != _kind_of(self._form):
            raise self._error(value, kind)
        if kind == "text" and self._shape and not self._shape.fullmatch(value):
            if strict or not self._is_compared_rightly(value):
                raise self._error(value, kind)
        elif kind == "number":
            self._check_unit(value)

    def check_all(self, values: Iterable[Any], *, strict: bool = False) -> None:
        """Refuse the first of many that cannot be compared.

        Raises:
            CursorFormatError: As `check` does.
        """
        for value in values:
            self.check(value, strict=strict)

    def _is_compared_rightly(self, text: str) -> bool:
        """Tell whether a text of another shape is in the window as text if it is as a time."""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return False
        in_utc = self._form.endswith(UTC_ENDS)
        if (moment.tzinfo is not None) != in_utc:
            return False
        start, end = self._covered.start, self._covered.end
        if in_utc:
            within = start.astimezone(UTC) <= moment < end.astimezone(UTC)
        else:
            start, end = self._covered.times_of_day
            within = start <= moment < end
        low, high = map(str, bounds(self._covered, self._form))
        return within == (low <= text < high)

    def _check_unit(self, value: Any) -> None:
        if self._form == "epoch" and abs(value) >= LARGEST_SECONDS:
            self._refuse_unit(value, "epoch_ms")
        if self._form == "epoch_ms":
            low, high = SMALL_MILLISECONDS
            if low <= value < high:
                self._refuse_unit(value, "epoch")

    def _refuse_unit(self, value: Any, remedy: str) -> None:
        raise CursorFormatError(
            f"{self._path} holds {value}, which as {self._form} is no time of our days:"
            f" incremental.datetime_format should be {remedy}"
        )

    def _error(self, value: Any, kind: str) -> CursorFormatError:
        what, remedy = KINDS[kind], kind
        if kind == "text":
            what, remedy = f"text such as {value!r}", _pattern(value)
        elif kind == "number":
            what, remedy = f"numbers such as {value}", "epoch or epoch_ms"
        return CursorFormatError(
            f"{self._path} holds {what}: a partition's bounds are compared with it as"
            f" incremental.datetime_format says, so give that: {remedy}"
        )


def _kind(value: Any) -> str | None:
    if isinstance(value, datetime):
        return "timestamp_ntz" if value.tzinfo is None else "timestamp"
    if isinstance(value, date):
        return "date"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return "number"
    return None


def _kind_of(form: str) -> str:
    if "%" in form:
        return "text"
    return "number" if form in {"epoch", "epoch_ms"} else form


def _shape(form: str) -> re.Pattern[str] | None:
    """Return what a text of a pattern looks like; None when a directive may be anything."""
    parts, at = [], 0
    for match in DIRECTIVE.finditer(form):
        parts.append(re.escape(form[at : match.start()]))
        if match[1] not in SHAPES:
            return None
        parts.append(SHAPES[match[1]])
        at = match.end()
    return re.compile("".join([*parts, re.escape(form[at:])]))


def _pattern(text: str) -> str:
    """Return the pattern of a text; no bound is written with the zones' directives of dlt's."""
    form = detect_datetime_format(text)
    if form is None:
        known = (each for each in WRITTEN if (shape := _shape(each)) and shape.fullmatch(text))
        return next(map(repr, known), "a strftime pattern")
    if zone := ZONE.search(form):
        end = next((end for end in UTC_ENDS if text.endswith(end)), None)
        if end is None:
            return "a strftime pattern, once the source gives times in UTC"
        form = form[: zone.start()] + end
    return repr(form)

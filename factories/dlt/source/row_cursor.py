"""The cursor of rows that no schema describes: the first one shows whether a window fits them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import dlt
from dlt.common.jsonpath import compile_path, extract_simple_field_name, find_values
from dlt.common.libs import is_arrow_object, is_pandas_frame
from dlt.common.time import detect_datetime_format
from dlt.extract import DltResource

from factories.core.execution.window import Window
from factories.dlt.config.schema import Incremental
from factories.dlt.config.time_formats import UTC_ENDS
from factories.dlt.source.cursor import incremental_arguments

ZONE = re.compile("%:?z$")


class CursorFormatError(Exception):
    """Rows hold time in another way than the partition's bounds do; the text says what to write."""


def add_cursor(made: DltResource, settings: Incremental, covered: Window | None) -> None:
    """Give a resource its cursor.

    With a window and no `datetime_format`, its bounds are times with a zone. Rows of another kind
    are refused by name: dlt would read times without zone as UTC, and fail on the others with
    Python's own error.
    """
    arguments = incremental_arguments(settings, covered)
    made.apply_hints(incremental=dlt.sources.incremental(**arguments))
    if covered is None or settings.datetime_format is not None:
        return
    seen = False

    def check_first(item: Any) -> Any:
        nonlocal seen
        if not seen:
            seen = True
            _check(item, settings.cursor_path)
        return item

    made.add_map(check_first)


def _check(item: Any, path: str) -> None:
    found = _value(item, path)
    if found is None:
        return  # a missing value is the business of `on_cursor_value_missing`
    if isinstance(found, datetime):
        if found.tzinfo is None:
            raise CursorFormatError(_format_message(path, "times without zone", "timestamp_ntz"))
    elif isinstance(found, date):
        raise CursorFormatError(_format_message(path, "dates", "date"))
    elif isinstance(found, str):
        raise CursorFormatError(_format_message(path, f"text such as {found!r}", _pattern(found)))
    elif isinstance(found, int | float):
        raise CursorFormatError(
            _format_message(path, f"numbers such as {found}", "epoch or epoch_ms")
        )


def _pattern(text: str) -> str:
    """Return the pattern of a text; no bound is written with the zones' directives of dlt's."""
    form = detect_datetime_format(text)
    if form is None:
        return "a strftime pattern"
    if zone := ZONE.search(form):
        end = next((end for end in UTC_ENDS if text.endswith(end)), None)
        if end is None:
            return "a strftime pattern, once the source gives times in UTC"
        form = form[: zone.start()] + end
    return repr(form)


def _format_message(path: str, kind: str, remedy: str) -> str:
    return (
        f"{path} holds {kind}: a partition's bounds are compared with it as"
        f" incremental.datetime_format says, so give that: {remedy}"
    )


def _value(item: Any, path: str) -> Any:
    """Return the cursor's value in a row, or the first of a table."""
    name = extract_simple_field_name(path)
    if isinstance(item, Mapping):
        if name is not None:
            return item.get(name)
        return next(iter(find_values(compile_path(path), dict(item))), None)
    if name is None:
        return None
    if is_pandas_frame(item):
        present = item[name].dropna() if name in item else []
        return next(iter(present), None)
    if is_arrow_object(item):
        present = item[name].drop_null() if name in item.schema.names else []
        return present[0].as_py() if len(present) else None
    return getattr(item, name, None)

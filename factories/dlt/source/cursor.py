"""The cursor of a resource: what dlt's incremental is given, with or without a partition."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

from factories.core.execution.window import Window
from factories.dlt.config.schema import Incremental
from factories.dlt.config.time_formats import bounds
from factories.dlt.errors import SourceError

SIMPLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # what JSONPath takes for a name without quotes
OWN_KEYS = {"datetime_format"}
OPPOSITE = {"asc": "desc", "desc": "asc"}


def incremental_arguments(
    settings: Incremental, covered: Window | None, *, field: str | None = None
) -> dict[str, Any]:
    """Return the arguments of `dlt.sources.incremental` (rest_api: with its two parameters).

    A partition's window is half-open, start <= x < end. Given an end, dlt leaves the pipeline's
    state alone, so that a backfill does not move the cursor of other runs.

    Args:
        settings: The cursor as YAML has it.
        covered: The window of the run's partitions, None for what is new.
        field: How the cursor's field holds time, where the source says it and YAML does not: a
            value of `datetime_format`.
    """
    form = settings.datetime_format or field
    given = settings.model_dump(exclude_unset=True, exclude=OWN_KEYS)
    if covered is None:
        if isinstance(start := given.get("initial_value"), str):
            given["initial_value"] = _value(start, form)
        return given
    start, end = bounds(covered, form)
    given |= {
        "initial_value": start,
        "end_value": end,
        "range_start": "closed",
        "range_end": "open",
    }
    given.pop("lag", None)  # it would reach below the window
    if settings.last_value_func == "min":  # from the window's end down: the same rows
        given["last_value_func"] = "max"
        if settings.row_order:
            given["row_order"] = OPPOSITE[settings.row_order]
    return given


def _value(text: str, form: str | None) -> Any:
    """Return where the first load begins, written in YAML, as the field's own kind of value.

    Raises:
        SourceError: When the text is not a time.
    """
    if form not in {"timestamp", "timestamp_ntz", "date"}:
        return text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SourceError(
            f"incremental.initial_value: {text!r} is not a time such as 2024-01-31T06:00:00Z"
        ) from None
    if form == "date":
        return date(moment.year, moment.month, moment.day)
    if form == "timestamp_ntz":
        return moment.replace(tzinfo=None)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def escaped_path(column: str) -> str:
    """Return the JSON path of a column, whose name may be anything."""
    if SIMPLE.fullmatch(column):
        return column
    escaped = column.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

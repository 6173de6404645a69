"""What checks ask for, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from factories.core.meta.check_columns import (
    AcceptedValuesCheck,
    ColumnFreshnessCheck,
    NotNullCheck,
    RelationshipCheck,
    UniqueCheck,
)
from factories.core.meta.check_options import CheckOptions
from factories.core.meta.check_schema import RowsChange, RowsCheck, SchemaCheck, SqlCheck

MOST_VALUES = 20
LONGEST_SQL = 500
LONGEST_VALUE = 60
EXPECTATIONS = {
    "no_removed_columns": "Every column of the last load is still there.",
    "unchanged": "No column was added or removed since the last load, none has another type.",
}


def describe_rule(rule: CheckOptions, columns: Sequence[str]) -> str:
    """Return what must hold, as a sentence."""
    match rule:
        case RowsCheck():
            last = rule.min if rule.max is None else rule.max
            return f"The table has {_bounds(rule.min, rule.max)} {'row' if last == 1 else 'rows'}."
        case RowsChange():
            low, high = format_percentage(rule.min), format_percentage(rule.max)
            of = "the last run" if rule.runs == 1 else f"the median of the last {rule.runs} runs"
            return f"The number of rows differs by {_bounds(low, high)} from {of}."
        case SchemaCheck():
            return EXPECTATIONS[rule.expect]
        case SqlCheck():
            return rule.description or _describe_sql(rule)
        case _:
            return _describe_column_rule(rule, columns)


def _describe_sql(rule: SqlCheck) -> str:
    if rule.condition is not None:
        return f"In every row: {_shorten(rule.condition)}"
    return f"{_shorten(rule.value or '')} is {_bounds(rule.min, rule.max)}."


def _describe_column_rule(rule: CheckOptions, columns: Sequence[str]) -> str:
    names = " and ".join(columns)
    match rule:
        case NotNullCheck():
            return f"The column {names} has no nulls."
        case UniqueCheck() if len(columns) > 1:
            return f"The values of the columns {names} together differ in every row."
        case UniqueCheck():
            return f"The values of the column {names} differ in every row."
        case AcceptedValuesCheck():
            return f"The values of the column {names} are among {_list_values(rule.values)}."
        case RelationshipCheck():
            other = rule.field or names
            return f"The values of the column {names} are in the column {other} of {rule.to}."
        case ColumnFreshnessCheck():
            age = format_span(rule.max_age)
            return f"The newest value of the column {names} is not older than {age}."
        case _:
            raise TypeError(rule)


def format_percentage(value: float | None) -> str | None:
    """Return a percentage as YAML has it.

    Example:
        >>> format_percentage(-20.0), format_percentage(12.5)
        ('-20%', '12.5%')
    """
    return None if value is None else f"{value:.10g}%"


def _list_values(values: Sequence[Any]) -> str:
    """Return accepted values as a list; of very many the first."""
    texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    more = len(texts) - MOST_VALUES
    shown = ", ".join(_shorten(text, LONGEST_VALUE) for text in texts[:MOST_VALUES])
    return f"{shown} and {more} more" if more > 0 else shown


def format_span(span: timedelta) -> str:
    """Return a duration in words.

    Example:
        >>> format_span(timedelta(hours=36)), format_span(timedelta(days=2))
        ('36 hours', '2 days')
    """
    seconds = span.total_seconds()
    units = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
    name, size = next(
        (each for each in units.items() if seconds % each[1] == 0 and seconds >= each[1]),
        ("seconds", 1),
    )
    count = seconds / size
    return f"{count:.10g} {name[:-1] if count == 1 else name}"


def _bounds(low: object, high: object) -> str:
    if low is None:
        return f"at most {high}"
    if high is None:
        return f"at least {low}"
    return f"exactly {low}" if low == high else f"{low} to {high}"


def _shorten(text: str, most: int = LONGEST_SQL) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"

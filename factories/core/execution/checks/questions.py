"""What each check of YAML asks of a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from statistics import median
from typing import Any

from factories.core.execution.checks.freshness import ask_freshness
from factories.core.execution.checks.one_statement import COUNT
from factories.core.execution.checks.outcomes import (
    LoadedTable,
    Outcome,
    Question,
    find_column,
    judge_rows,
)
from factories.core.execution.checks.relationships import ask_relationship
from factories.core.meta.check_columns import (
    AcceptedValuesCheck,
    ColumnFreshnessCheck,
    NotNullCheck,
    RelationshipCheck,
    UniqueCheck,
)
from factories.core.meta.check_descriptions import MOST_VALUES, format_percentage
from factories.core.meta.check_schema import RowsChange, RowsCheck, SchemaCheck, SqlCheck
from factories.core.meta.check_specs import Check
from factories.core.warehouse.quoting import sql_identifier, sql_literal

UNREADABLE = "The table does not exist, or cannot be read."
TEXT_TYPES = ("TEXT", "VARCHAR", "CHAR", "STRING")


def question_of(check: Check, table: LoadedTable) -> Question | Outcome:
    """Return what a check asks the warehouse, or its outcome when there is nothing to ask."""
    match check.rule:
        case RowsCheck() as rule:
            return Question((COUNT,), partial(_judge_rows, rule))
        case RowsChange() as rule:
            counts = table.history.row_counts(rule.runs)
            return Question((COUNT,), partial(_judge_change, rule, counts))
        case SchemaCheck() as rule:
            return _compare_columns(rule, table)
        case SqlCheck(condition=str(condition)):
            # A line break ends a comment.
            wrong = f"count_if(not ({condition}\n))"
            return _count(wrong, "do not meet the condition")
        case SqlCheck() as rule:
            return Question((f"({rule.value}\n)",), partial(_judge_value, rule))
        case _:
            return _question_of_columns(check, table)


def _question_of_columns(check: Check, table: LoadedTable) -> Question | Outcome:
    found = []
    for name in check.columns:
        column = find_column(table, name)
        if isinstance(column, Outcome):
            return column
        found.append(column)
    quoted = [sql_identifier(column) for column in found]
    listed = ", ".join(quoted)
    match check.rule:
        case NotNullCheck():
            return _count(f"count_if({listed} is null)", f"are null in {found[0]}")
        case UniqueCheck():
            rows = f"count({listed})"
            if len(found) > 1:
                rows = f"count_if({' and '.join(f'{column} is not null' for column in quoted)})"
            repeated = f"repeat a value of {', '.join(found)}"
            return _count(f"{rows} - count(distinct {listed})", repeated)
        case AcceptedValuesCheck() as rule:
            kind = table.columns[found[0]].upper().partition("(")[0]
            values = ", ".join(_sql_value(v, as_text=kind in TEXT_TYPES) for v in rule.values)
            return _count(
                f"count_if({listed} not in ({values}))",
                f"have another value in {found[0]}",
                {"accepted_values": [str(value) for value in rule.values[:MOST_VALUES]]},
            )
        case RelationshipCheck() as rule:
            return ask_relationship(rule, check.columns[0], found[0], table)
        case ColumnFreshnessCheck() as rule:
            return ask_freshness(rule, found[0], table.columns[found[0]])
        case _:
            raise TypeError(check.rule)


def _count(wrong: str, what: str, limits: Mapping[str, Any] | None = None) -> Question:
    """Return the question how many rows fail."""

    def judge(values: Sequence[Any]) -> Outcome:
        return judge_rows(values, what, limits)

    return Question((wrong, COUNT), judge)


def _sql_value(value: str | float | bool, *, as_text: bool) -> str:
    """Return a value for SQL; beside texts as text, which the warehouse would take for numbers."""
    if isinstance(value, bool):
        value = str(value).lower()
        return sql_literal(value) if as_text else value
    return sql_literal(str(value)) if as_text or isinstance(value, str) else repr(value)


def _judge_rows(rule: RowsCheck, values: Sequence[Any]) -> Outcome:
    count = int(values[0])
    limits = _limits(rule)
    why = None
    if rule.min is not None and count < rule.min:
        why = f"The table has {count:,} rows, at least {rule.min:,} are asked for."
    elif rule.max is not None and count > rule.max:
        why = f"The table has {count:,} rows, at most {rule.max:,} are asked for."
    return Outcome(why is None, {"rows": count, **limits}, why)


def _limits(
    rule: RowsCheck | RowsChange | SqlCheck, write: Callable[[Any], Any] = lambda limit: limit
) -> dict[str, Any]:
    given = {"min": rule.min, "max": rule.max}
    return {name: write(limit) for name, limit in given.items() if limit is not None}


def _judge_change(rule: RowsChange, counts: Sequence[int], values: Sequence[Any]) -> Outcome:
    rows = int(values[0])
    metadata = {"rows": rows, "runs": len(counts), **_limits(rule, format_percentage)}
    if not counts:
        text = "No earlier run has recorded its rows, so there is nothing to compare with."
        return Outcome(passed=True, metadata=metadata, description=text)
    middle = median(counts)
    metadata["median_rows"] = middle
    if not middle:
        text = "The runs before had no rows, so there is nothing to compare with."
        return Outcome(passed=True, metadata=metadata, description=text)
    change = 100 * (rows - middle) / middle
    metadata["change"] = f"{change:+.1f}%"
    low = rule.min is None or change >= rule.min
    high = rule.max is None or change <= rule.max
    if low and high:
        return Outcome(passed=True, metadata=metadata)
    limit = f"at least {format_percentage(rule.min)}"
    if low:
        limit = f"at most {format_percentage(rule.max)}"
    of = f"the median of {len(counts)} runs before" if len(counts) > 1 else "the run before"
    text = f"The table has {rows:,} rows, {change:+.1f}% of {middle:,.10g}, {of}: {limit} is asked"
    return Outcome(passed=False, metadata=metadata, description=f"{text} for.")


def _compare_columns(rule: SchemaCheck, table: LoadedTable) -> Outcome:
    previous = table.history.columns()
    if rule.expect == "no_removed_columns":
        now = {column.lower() for column in table.columns}
        removed = [column for column in previous or () if column.lower() not in now]
        text = f"Columns are gone: {', '.join(removed)}." if removed else None
        if removed and not table.columns:
            text = UNREADABLE
        return Outcome(not removed, {"removed_columns": removed}, text)
    if previous is None:
        text = "No earlier run has recorded its columns, so there is nothing to compare with."
        return Outcome(passed=True, description=text)
    differences = {
        "added_columns": [column for column in table.columns if column not in previous],
        "removed_columns": [column for column in previous if column not in table.columns],
        "changed_types": [
            f"{column}: {previous[column]} is now {kind}"
            for column, kind in table.columns.items()
            if column in previous and previous[column] != kind
        ],
    }
    words = {"added_columns": "added", "removed_columns": "removed", "changed_types": "changed"}
    found = [f"{words[name]}: {', '.join(texts)}" for name, texts in differences.items() if texts]
    text = f"The columns differ from those of the last load; {'; '.join(found)}."
    if not table.columns:
        text = UNREADABLE
    return Outcome(not found, differences, text if found else None)


def _judge_value(rule: SqlCheck, values: Sequence[Any]) -> Outcome:
    limits = _limits(rule)
    value = values[0]
    if value is None:
        text = "The value is null, which is neither too low nor too high."
        return Outcome(passed=True, metadata=limits, description=text)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        text = f"The value is of the type {type(value).__name__}, not a number."
        return Outcome(passed=False, metadata=limits, description=text)
    low = rule.min is None or value >= rule.min
    high = rule.max is None or value <= rule.max
    shown = int(value) if not isinstance(value, float) and value == int(value) else float(value)
    metadata = {"value": shown if math.isfinite(shown) else str(shown), **limits}
    if low and high:
        return Outcome(passed=True, metadata=metadata)
    limit = f"at most {rule.max}" if low else f"at least {rule.min}"
    text = f"The value is {shown}, {limit} is asked for."
    return Outcome(passed=False, metadata=metadata, description=text)

"""What a check asks of a table, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from factories.core.execution.checks.history import LoadHistory
from factories.core.execution.checks.one_statement import Query
from factories.core.execution.checks.other_tables import OtherTables
from factories.core.execution.table_reader import QueryFailedError


@dataclass(frozen=True)
class LoadedTable:
    """What the checks look at.

    Attributes:
        relation: The table, as SQL calls it.
        columns: The columns' types by name, as the warehouse has them now; none when they cannot
            be read.
        query: Runs a statement on the warehouse.
        history: What earlier loads have recorded.
        others: Finds the tables of other assets.
    """

    relation: str
    columns: Mapping[str, str]
    query: Query
    history: LoadHistory
    others: OtherTables


@dataclass(frozen=True)
class Outcome:
    """How a check ended.

    Attributes:
        passed: Whether what it asks for holds.
        metadata: Figures and limits. It holds no values of rows, which may be personal.
        description: A sentence; of what did not pass, why.
        unknown: Whether it could not be told: a warning, whatever the check's severity.
    """

    passed: bool
    metadata: Mapping[str, Any] = field(default_factory=dict)
    description: str | None = None
    unknown: bool = False


def describe_error(error: QueryFailedError) -> Outcome:
    """Return the outcome of a check that the warehouse could not answer."""
    return Outcome(passed=False, description=str(error))


@dataclass(frozen=True)
class Question:
    """What a check asks the warehouse.

    Attributes:
        expressions: Aggregates of the table, or subqueries without reference to it.
        judge: Says what their values mean.
        explain: Says what it means that there are none.
    """

    expressions: tuple[str, ...]
    judge: Callable[[Sequence[Any]], Outcome]
    explain: Callable[[QueryFailedError], Outcome] = describe_error


def find_column(table: LoadedTable, name: str) -> str | Outcome:
    """Return the column that a name means: the one that is written so, or in any case.

    Without such a column, or with several, return the outcome of a check of it.
    """
    if not table.columns:
        text = f"The table has no column {name}: it does not exist, or cannot be read."
        return Outcome(passed=False, description=text)
    found = match_columns(name, table.columns)
    if not found:
        text = f"The table has no column {name}."
        return Outcome(passed=False, metadata={"columns": list(table.columns)}, description=text)
    if len(found) > 1:
        names = ", ".join(found)
        text = f"The table has several columns of this name: {names}. Name one as it is written."
        return Outcome(passed=False, metadata={"columns": found}, description=text)
    return found[0]


def match_columns(name: str, columns: Sequence[str] | Mapping[str, str]) -> list[str]:
    """Return the columns that a name may mean."""
    if name in columns:
        return [name]
    return [known for known in columns if known.lower() == name.lower()]


def judge_rows(
    values: Sequence[Any], what: str, limits: Mapping[str, Any] | None = None
) -> Outcome:
    """Return the outcome of a check that counted the rows that fail.

    Args:
        values: How many rows fail, None of a table without rows; and how many rows it has.
        what: What is wrong with them, as the end of a sentence.
        limits: What the check asks for.
    """
    wrong, rows = (int(value or 0) for value in values)
    text = f"{wrong:,} of {rows:,} rows {what}." if wrong else None
    return Outcome(wrong == 0, {"rows_that_fail": wrong, "rows": rows, **(limits or {})}, text)

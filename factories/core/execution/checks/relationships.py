"""Checks that the values of a column are in a column of another asset's table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from factories.core.execution.checks.one_statement import COUNT
from factories.core.execution.checks.other_tables import OtherTable
from factories.core.execution.checks.outcomes import (
    LoadedTable,
    Outcome,
    Question,
    describe_error,
    judge_rows,
    match_columns,
)
from factories.core.execution.table_reader import QueryFailedError
from factories.core.meta.check_columns import RelationshipCheck
from factories.core.meta.keys import parse_key
from factories.core.warehouse.quoting import sql_identifier


def ask_relationship(
    rule: RelationshipCheck, name: str, column: str, table: LoadedTable
) -> Question | Outcome:
    """Return what the check asks: how many values the other table lacks.

    The other asset is no dependency of this one: it may be made later, or by another code
    location. Until its table is there, the outcome is unknown.

    Args:
        rule: What YAML says.
        name: The column, as YAML names it.
        column: The column, as it is stored.
        table: The table that is checked.
    """
    other = table.others.find(parse_key(rule.to))
    if other is None:
        text = f"Unknown: {rule.to} has not recorded a table yet."
        return Outcome(passed=False, description=text, unknown=True)
    field = rule.field or name
    columns = other.columns
    if not match_columns(field, columns):  # it may have got it since
        columns = table.others.read_columns(other.relation)
        if not columns:
            return _missing(other)
    found = match_columns(field, columns)
    if len(found) != 1:
        problem = f"several columns of the name {field}" if found else f"no column {field}"
        text = f"{other.relation}, the table of {rule.to}, has {problem}."
        return Outcome(passed=False, metadata={"columns": list(columns)}, description=text)
    here, there = sql_identifier(column), sql_identifier(found[0])
    missing = (
        f"(select count(*) from {table.relation} as c where c.{here} is not null and not exists"  # noqa: S608 - names from the project's own YAML
        f" (select 1 from {other.relation.sql} as o where o.{there} = c.{here}))"
    )
    limits = {"table": str(other.relation), "column": found[0]}

    def judge(values: Sequence[Any]) -> Outcome:
        what = f"have a value that {found[0]} of {other.relation} lacks"
        return judge_rows(values, what, limits)

    return Question((missing, COUNT), judge, partial(_explain, table, other))


def _explain(table: LoadedTable, other: OtherTable, error: QueryFailedError) -> Outcome:
    """Tell a table that is not there from other errors."""
    return describe_error(error) if table.others.read_columns(other.relation) else _missing(other)


def _missing(other: OtherTable) -> Outcome:
    text = f"Unknown: it reads {other.relation}, which does not exist yet."
    return Outcome(passed=False, description=text, unknown=True)

"""MERGE, by DuckDB's own MERGE.

What fakesnow lacks: it splits a MERGE into a temporary table and up to three statements, which
cannot write to a database other than the current one and let several source rows change one target
row. DuckDB's MERGE is one statement, refuses that, and returns its actions by RETURNING.

The result has a count per kind of clause, as in
https://docs.snowflake.com/en/sql-reference/sql/merge. Stricter than Snowflake: a DELETE of one
target row by several source rows is refused as well.
"""

from __future__ import annotations

from typing import cast

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs
from fakesnow.rowtype import describe_as_rowtype
from fakesnow.statement_type import MERGE
from sqlglot import exp

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import SqlError
from local_snowflake.sql.names import changed_table, resolve
from local_snowflake.sql.statements import Statement

_DUPLICATE = "cannot affect the same target row more than once"
_COUNTS = {"INSERT": "inserted", "UPDATE": "updated", "DELETE": "deleted"}


class Merge:
    """MERGE INTO."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is a MERGE."""
        return isinstance(statement.expression, exp.Merge)

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Run the MERGE and count the changed rows."""
        merge = cast(exp.Merge, statement.expression)
        done = dict.fromkeys(_COUNTS, 0)
        for values in bindings.rows:
            try:
                actions = session.run_translated(
                    _without_table_names(merge),
                    Bindings((values,)),
                    suffix=" RETURNING merge_action",
                )
            except duckdb.InvalidInputException as error:
                if _DUPLICATE not in str(error):
                    raise
                message = "Duplicate row detected during DML action"
                raise SqlError(message, 100090, "42P18") from error
            for action in actions.column("merge_action").value_counts():
                done[action["values"].as_py()] += action["counts"].as_py()
        target = changed_table(merge)
        if target is not None and any(done.values()):
            session.times.rows_changed(session.temporaries.physical(resolve(target, session)))
        actions = [action for action in _COUNTS if action in _actions(merge)]
        columns = [f"number of rows {_COUNTS[action]}" for action in actions]
        table = pa.table(
            {name: [done[action]] for name, action in zip(columns, actions, strict=True)}
        )
        described = [(name, "BIGINT", "YES", None, None, None) for name in columns]
        return StatementResult(table, describe_as_rowtype(described), MERGE)


def _actions(merge: exp.Merge) -> set[str]:
    """Return the kinds of the statement's clauses."""
    kinds = set()
    for when in merge.args["whens"].expressions:
        then = when.args["then"]
        kinds.add("DELETE" if isinstance(then, exp.Var) else then.key.upper())
    return kinds


def _without_table_names(merge: exp.Merge) -> exp.Merge:
    """Return a copy without the table name before the columns that are set."""
    copy = merge.copy()
    for when in copy.args["whens"].expressions:
        then = when.args["then"]
        if isinstance(then, exp.Update):
            for assignment in then.expressions:
                assignment.this.set("table", None)
        elif isinstance(then, exp.Insert) and isinstance(then.this, exp.Tuple):
            for column in then.this.expressions:
                column.set("table", None)
    return copy

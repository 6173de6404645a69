"""Binds a statement on a second connection before it runs in a transaction.

What fakesnow lacks: in DuckDB every error ends the transaction, even a misspelt column. In
Snowflake an error undoes its statement only. A second connection, outside the transaction, finds
errors in a statement's names and types before the transaction sees it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from duckdb import DuckDBPyConnection
from sqlglot import Expr, exp

from local_snowflake.engine.context import StatementContext
from local_snowflake.sql.quoting import sql_identifier, sql_literal

_CHECKED = (exp.Query, exp.Insert, exp.Update, exp.Delete, exp.Merge)
# The second connection does not see the session's own objects: temporary ones, earlier results.
_SEEN_BY_SESSION_ONLY = ('"temp"."main".', '"result of ')


class Preflight:
    """The second connection of a session.

    Args:
        session: The session whose statements it checks.
        may_be_refused: Whether DuckDB may refuse a statement, given in DuckDB's syntax tree, for
            which there is another translation.
    """

    def __init__(self, session: StatementContext, may_be_refused: Callable[[Expr], bool]) -> None:
        self._session = session
        self._may_be_refused = may_be_refused
        self._duck: DuckDBPyConnection | None = None

    def check(self, statement: Expr, values: Any = None) -> None:
        """Raise the errors that DuckDB would raise before it reads a row, where that matters.

        Args:
            statement: A statement in DuckDB's dialect.
            values: The values of its placeholders.
        """
        checked: Expr | None = None
        if self._session.transactions.is_open:
            checked = statement if isinstance(statement, _CHECKED) else None
        elif self._may_be_refused(statement):
            # It may have to be translated again, so this is found out before anything happens.
            is_query = isinstance(statement, exp.Query)
            checked = statement if is_query else statement.args.get("expression")
        if isinstance(checked, _CHECKED):
            self._explain(checked.sql(dialect="duckdb"), values)

    def _explain(self, sql: str, values: Any) -> None:
        if any(mark in sql for mark in _SEEN_BY_SESSION_ONLY):
            return
        if self._duck is None:
            self._duck = self._session.warehouse.connect()
        database, schema = self._session.database, self._session.schema
        current = sql_identifier(database, schema) if database and schema else "memory.main"
        self._duck.execute(f"SET schema = {sql_literal(current)}")
        self._duck.execute(f"EXPLAIN {sql}", values).fetchall()

    def close(self) -> None:
        """Close the second connection."""
        if self._duck is not None:
            self._duck.close()

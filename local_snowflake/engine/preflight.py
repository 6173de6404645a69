"""Binding a statement before it runs in a transaction.

What upstream lacks: in DuckDB every error ends the transaction, also a misspelt column. In
Snowflake an error undoes its statement only. A second connection, outside the transaction, finds
what is wrong with a statement's names and types before the transaction sees it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import Expr, exp

from local_snowflake.dialect.aggregates import has_uncast_aggregates
from local_snowflake.sql.names import quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from local_snowflake.engine.session import Session

# The second connection does not see the session's own objects: temporary ones, earlier results.
_CHECKED = (exp.Query, exp.Insert, exp.Update, exp.Delete, exp.Merge)
_OWN = ('"temp"."main".', '"result of ')


class Preflight:
    """The second connection of a session.

    Args:
        session: Whose statements it checks.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._duck: DuckDBPyConnection | None = None

    def check(self, statement: Expr, values: Any = None) -> None:
        """Raise what DuckDB would raise before it reads a row, where that matters.

        Args:
            statement: A statement in DuckDB's language.
            values: Its values.
        """
        checked: Expr | None = None
        if self._session.transactions.is_open:
            checked = statement if isinstance(statement, _CHECKED) else None
        elif has_uncast_aggregates(statement):
            # They may have to be cast after all: so that is found out before anything happens.
            is_query = isinstance(statement, exp.Query)
            checked = statement if is_query else statement.args.get("expression")
        if isinstance(checked, _CHECKED):
            self._explain(checked.sql(dialect="duckdb"), values)

    def _explain(self, sql: str, values: Any) -> None:
        if any(mark in sql for mark in _OWN):
            return
        if self._duck is None:
            self._duck = self._session.warehouse.connect()
        database, schema = self._session.connection.database, self._session.connection.schema
        place = f"{quoted(database)}.{quoted(schema)}" if database and schema else "memory.main"
        self._duck.execute(f"SET schema = '{place}'")
        self._duck.execute(f"EXPLAIN {sql}", values).fetchall()

    def close(self) -> None:
        """Close the second connection."""
        if self._duck is not None:
            self._duck.close()

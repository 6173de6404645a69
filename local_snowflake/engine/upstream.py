"""fakesnow's connection and cursor, with the layer's rewrites around its translation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs
from duckdb import DuckDBPyConnection
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.dialect import parse_one
from fakesnow.params import MutableParams
from fakesnow.rowtype import ColumnInfo
from fakesnow.variables import Variables
from snowflake.connector.cursor import SnowflakeCursor
from sqlglot import Expr, exp

from local_snowflake.engine.result_types import describe_columns, to_driver_types
from local_snowflake.sql.errors import unsupported
from local_snowflake.sql.lexer import split_code


class CursorHooks(Protocol):
    """What a cursor calls around fakesnow's translation."""

    def rewrite_before(self, expression: Expr) -> Expr:
        """Change the Snowflake syntax tree before fakesnow translates it."""
        ...

    def rewrite_after(self, expression: Expr) -> Expr:
        """Change the DuckDB syntax tree that fakesnow made."""
        ...

    def before_execute(self, expression: Expr, values: MutableParams | None) -> Expr:
        """Check or change the DuckDB syntax tree that is about to run."""
        ...


class SessionVariables(Variables):
    """`$name` variables; fakesnow replaces them inside strings and comments as well."""

    @property
    def values(self) -> dict[str, str]:
        """The variables and their values, as they were written."""
        return dict(self._variables)

    def _set(self, name: str, value: str) -> None:
        if name.startswith("("):
            raise unsupported("SET of several variables at once")
        super()._set(name, value)

    def inline_variables(self, sql: str) -> str:
        """Replace the variables in the statement's code."""
        pieces = split_code(sql)
        return "".join(
            super(SessionVariables, self).inline_variables(p) if code else p for p, code in pieces
        )


class Connection(FakeSnowflakeConnection):
    """fakesnow's connection of one session.

    Its own bookkeeping of transactions stays off (`_autocommit` is always True): `Transactions`
    does it.

    Args:
        hooks: Called for each statement.
        duck: The session's connection.
        database: The current database at first, if it exists.
        schema: The current schema at first, if it exists.
        databases: The folder of the database files.
    """

    def __init__(
        self,
        hooks: CursorHooks,
        duck: DuckDBPyConnection,
        database: str | None,
        schema: str | None,
        databases: Path,
    ) -> None:
        self.hooks = hooks
        super().__init__(
            duck,
            _NoResultsCache(),
            database,
            schema or (database and "PUBLIC"),
            create_database=False,
            create_schema=False,
            db_path=databases,
            paramstyle="qmark",
        )
        self.variables: SessionVariables = SessionVariables()
        # A name that does not exist leaves the session without a current database or schema.
        if not self.database_set:
            self.database = None
        if not self.schema_set:
            self._schema = None

    def cursor(self, cursor_class: type[SnowflakeCursor] = SnowflakeCursor) -> Cursor:  # noqa: ARG002 - fakesnow's signature
        """Make a cursor that applies the layer's rewrites."""
        return Cursor(self, self._duck_conn)

    def set_current(self, database: str | None, schema: str | None) -> None:
        """Record the session's current database and schema."""
        self.database, self.database_set = database, database is not None
        self._schema, self.schema_set = schema, schema is not None


class Cursor(FakeSnowflakeCursor):
    """fakesnow's cursor: translates one statement and runs it."""

    def __init__(self, connection: Connection, duck: DuckDBPyConnection) -> None:
        super().__init__(connection, duck)
        self._hooks = connection.hooks

    def run(self, expression: Expr, values: MutableParams | None) -> int:
        """Run a parsed statement, which fakesnow may split into several; the tree is changed.

        Returns:
            The number of rows affected.
        """
        self.check_db_and_schema(expression)
        for part in self._transform_explode(expression):
            transformed = self._transform(part, values)
            self._execute(transformed, values if transformed.find(exp.Placeholder) else None)
        return self._rowcount or 0

    def translate(self, expression: Expr, values: MutableParams | None) -> Expr:
        """Translate a parsed statement into DuckDB's dialect; the tree is changed."""
        return self._transform(expression, values)

    @property
    def table(self) -> pa.Table:
        """The rows of the statement that ran last."""
        return to_driver_types(self._arrow_table)

    @property
    def upload(self) -> dict[str, Any] | None:
        """For PUT, what the client needs to copy the files into the stage's folder."""
        transformed = self._last_transformed
        return transformed.args.get("put_stage_data") if transformed else None

    def described(self) -> list[ColumnInfo]:
        """Return the columns of the statement that ran last."""
        sql = f"DESCRIBE {self._last_sql}"
        return describe_columns(self._duck_conn.execute(sql, self._last_params).fetchall())

    def describe_only(self, sql: str) -> list[ColumnInfo] | None:
        """Return the columns of a statement that is not run; None if only running it shows them."""
        expression = parse_one(sql)
        if not isinstance(expression, exp.Query):
            described = self._describe_only(sql)
            return None if described is None else describe_columns(described)
        self.check_db_and_schema(expression)
        for placeholder in list(expression.find_all(exp.Placeholder)):
            placeholder.replace(exp.null())
        translated = self._transform(expression, None)
        query = f"DESCRIBE {translated.sql(dialect='duckdb')}"
        return describe_columns(self._duck_conn.execute(query).fetchall())

    def _execute(self, transformed: Expr, params: MutableParams | None = None) -> None:
        super()._execute(self._hooks.before_execute(transformed, params), params)

    def _transform(self, expression: Expr, params: MutableParams | None) -> Expr:
        expression = super()._transform(self._hooks.rewrite_before(expression), params)
        return self._hooks.rewrite_after(expression)


class _NoResultsCache(dict[str, tuple[Any, ...]]):
    """Replaces fakesnow's results cache, which keeps every result for good."""

    def __setitem__(self, query_id: str, value: tuple[Any, ...]) -> None:
        """Discard the result."""

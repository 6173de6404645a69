"""A client's session: its connection, its transaction, the way of a statement to its result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs
from duckdb import DuckDBPyConnection
from fakesnow.dialect import parse_one
from fakesnow.rowtype import ColumnInfo
from fakesnow.statement_type import DML_TYPE_IDS, SELECT, statement_type_id
from snowflake.connector.errors import ProgrammingError
from sqlglot import Expr, exp

from local_snowflake.engine.applied_layer import AppliedLayer
from local_snowflake.engine.context import Retry
from local_snowflake.engine.errors import as_sql_error
from local_snowflake.engine.layer import Layer
from local_snowflake.engine.result_types import describe_columns, to_driver_types
from local_snowflake.engine.results import Description, StatementResult, status_result
from local_snowflake.engine.table_locks import table_to_lock
from local_snowflake.engine.transactions import Transactions
from local_snowflake.engine.upstream import Connection
from local_snowflake.engine.warehouse import Warehouse
from local_snowflake.objects.relation_times import RelationTimes
from local_snowflake.objects.session_parameters import lock_seconds, set_login_parameters
from local_snowflake.objects.temporary import TemporaryObjects
from local_snowflake.routines.catalog import SessionRoutines
from local_snowflake.routines.duck_functions import SESSION_VARIABLE
from local_snowflake.routines.handler_processes.caller_sessions import Guest, Guests
from local_snowflake.routines.handler_processes.running import RunningHandlers
from local_snowflake.sql.bindings import NO_BINDINGS, Bindings, Values
from local_snowflake.sql.errors import SYNTAX_ERROR, unsupported
from local_snowflake.sql.names import changed_table, resolve
from local_snowflake.sql.quoting import sql_identifier, sql_literal
from local_snowflake.sql.statements import Statement

_DESCRIBED_BY_RUNNING = {"SHOW", "DESCRIBE", "DESC", "LIST", "LS", "SELECT", "WITH"}


class Session:
    """One login. Its methods are called by one thread at a time, which holds `lock`.

    Args:
        token: The token by which requests name the session.
        warehouse: The database files.
        layer: The gap-fillers.
        guests: The handlers of all sessions that may log in.
        database: The current database at first, if it exists.
        schema: The current schema at first, if it exists.
        warehouse_name: The warehouse that the login named.
        role_name: The role that the login named.
        user: The login name.
        number: The session's id as clients see it.
        parameters: The session parameters that the client set at login.
        autocommit: Whether each DML statement outside a transaction commits.

    Attributes:
        duck: The session's DuckDB connection, for handlers.
        cleanups: Called when the session ends, last added first, to drop temporary objects.
        times: Where handlers report the tables and views that they have changed.
        after_statement: Called when the running statement has ended.
        warehouse_name: The warehouse that USE WAREHOUSE or the login named.
        role_name: The role that USE ROLE or the login named.
        temporaries: The session's temporary tables and views.
        routines: The procedures and functions that it sees.
        handlers: The processes of the procedures that it has called.
        readers: Connections beside its own that read for the running statement.
        last_query_id: The id of the last statement that succeeded.
    """

    def __init__(
        self,
        token: str,
        warehouse: Warehouse,
        layer: Layer[Session],
        *,
        guests: Guests[Session] | None = None,
        database: str | None = None,
        schema: str | None = None,
        warehouse_name: str | None = None,
        role_name: str | None = None,
        user: str = "LOCAL",
        number: int = 1,
        parameters: Mapping[str, Any] | None = None,
        autocommit: bool = True,
    ) -> None:
        self.token = token
        self.warehouse = warehouse
        self.warehouse_name = warehouse_name
        self.role_name = role_name
        self.user = user
        self.number = number
        self.parameters: dict[str, str] = {}
        set_login_parameters(self, parameters or {})
        self.last_query_id: str | None = None
        self.lock = asyncio.Lock()
        self.cleanups: list[Callable[[], None]] = []
        self.after_statement: list[Callable[[], object]] = []
        self.duck = warehouse.connect()
        self.duck.execute(f"SET VARIABLE {SESSION_VARIABLE} = {number}")
        self.times = RelationTimes(self.duck)
        self.transactions = Transactions(
            self.duck, warehouse.locks, self.times, autocommit=autocommit
        )
        self._layer = AppliedLayer(self, layer)
        self.connection = Connection(self._layer, self.duck, database, schema, warehouse.databases)
        self.temporaries = TemporaryObjects()
        self.routines = SessionRoutines(warehouse.routines)
        self.handlers = RunningHandlers()
        self.readers: list[DuckDBPyConnection] = []
        self._guests = guests if guests is not None else Guests()

    @property
    def database(self) -> str | None:
        """The current database."""
        return self.connection.database

    @property
    def schema(self) -> str | None:
        """The current schema."""
        return self.connection.schema

    @property
    def retry(self) -> Retry | None:
        """The translation that is tried now, after DuckDB refused the first one."""
        return self._layer.retry

    @property
    def variables(self) -> Mapping[str, str]:
        """The session's `$name` variables."""
        return self.connection.variables.values

    @property
    def runs_handler(self) -> bool:
        """Whether the running statement waits for code in Python."""
        return len(self.handlers) > 0 or self.warehouse.functions.is_busy(self.number)

    def run(self, statement: Statement, bindings: Bindings, query_id: str) -> StatementResult:
        """Run a statement under the transaction rules.

        Raises:
            SqlError: For any failure.
        """
        self.handlers.begin()
        self.warehouse.functions.begin_statement(self.number)
        try:
            statement, bindings = self._prepare(statement, bindings)
            result = self._run(statement, bindings)
        except Exception as error:
            failure = self.warehouse.functions.take_failure(self.number)
            raise failure or as_sql_error(error, statement) from error
        finally:
            self._end_statement()
        self.warehouse.results.add(query_id, result)
        self.last_query_id = query_id
        return result

    def describe(self, statement: Statement) -> Description:
        """Describe the columns of a statement, without its rows and without its effects.

        Raises:
            SqlError: For any failure.
        """
        try:
            statement, _ = self._prepare(statement, NO_BINDINGS)
            expression = statement.expression
            type_id = statement_type_id(expression) if expression else SELECT
            columns = self._layer.describe(statement, self._describe_in_fakesnow)
            if columns is None and statement.keyword in _DESCRIBED_BY_RUNNING:
                columns = self.dispatch(statement, Bindings()).rowtype
            if columns is None:
                columns = status_result().rowtype
            return Description(columns, type_id, statement.binds)
        except Exception as error:
            raise as_sql_error(error, statement) from error
        finally:
            self._end_statement()

    def run_in_fakesnow(self, statement: Statement, bindings: Bindings) -> StatementResult:
        """Run a statement by fakesnow, as if no handler existed.

        Raises:
            SqlError: Neither sqlglot nor DuckDB knows the statement.
        """
        # parse_one raises if it is not readable.
        expression = statement.expression or parse_one(statement.sql)
        cursor = self.connection.cursor()
        affected = 0
        try:
            for values in bindings.rows:
                affected += cursor.run(expression.copy(), _copied(values))
        except ProgrammingError as error:
            if isinstance(expression, exp.Command) and error.errno == SYNTAX_ERROR:
                # sqlglot passes on what it cannot parse, and DuckDB cannot parse it either.
                raise unsupported(statement.label) from error
            raise
        type_id = statement_type_id(expression)
        target = changed_table(expression)
        if target is not None and (affected or expression.args.get("overwrite")):
            self.times.rows_changed(self.temporaries.physical(resolve(target, self)))
        if cursor.upload is not None:
            location = cursor.upload["stageInfo"]["location"]
            Path(location).mkdir(parents=True, exist_ok=True)
            return StatementResult(cursor.table, [], type_id, file_transfer=cursor.upload)
        table, columns = cursor.table, cursor.described()
        if bindings.is_batch and type_id in DML_TYPE_IDS:
            table, columns = pa.table({columns[0]["name"]: [affected]}), columns[:1]
        return StatementResult(table, columns, type_id)

    def translate(self, expression: Expr, values: Values | None = None) -> Expr:
        """Translate a parsed statement into DuckDB's dialect; the tree is changed."""
        return self.connection.cursor().translate(expression, values)

    def run_translated(self, expression: Expr, bindings: Bindings, *, suffix: str = "") -> pa.Table:
        """Translate a parsed statement and run it in DuckDB; the tree is changed.

        Unlike `run_in_fakesnow` it returns no status and does no bookkeeping.

        Args:
            expression: The statement.
            bindings: Its values.
            suffix: What to append in DuckDB's dialect.
        """
        values = _copied(bindings.rows[0])
        translated = self._layer.before_execute(self.translate(expression, values), values)
        return self.duck.execute(
            translated.sql(dialect="duckdb") + suffix,
            values if translated.find(exp.Placeholder) else None,
        ).to_arrow_table()

    def select(self, sql: str, values: Sequence[Any] | None = None) -> StatementResult:
        """Run a query in DuckDB's dialect and return its result."""
        table = self.duck.execute(sql, values).to_arrow_table()
        described = self.duck.execute(f"DESCRIBE {sql}", values).fetchall()
        return StatementResult(to_driver_types(table), describe_columns(described))

    def use(self, database: str, schema: str) -> None:
        """Make an existing schema the current one."""
        self.duck.execute(f"SET schema = {sql_literal(sql_identifier(database, schema))}")
        self.connection.set_current(database, schema)

    def leave_database(self) -> None:
        """Unset the current database, as after dropping it."""
        self.duck.execute("SET schema = 'memory.main'")
        self.connection.set_current(None, None)

    def interrupt(self, beyond: int = 0) -> None:
        """Stop the running statement, if there is one; may be called from another thread.

        Args:
            beyond: How many of the outermost running procedures go on.
        """
        self.handlers.stop(beyond)
        self.interrupt_query()

    def interrupt_query(self) -> None:
        """Stop the running query, but no procedure."""
        self.transactions.stop_waiting()
        self.warehouse.functions.stop(self.number)
        for duck in [self.duck, *self.readers]:
            with suppress(duckdb.ConnectionException):  # it is closed by now
                duck.interrupt()

    def invite_handler(self) -> AbstractContextManager[Guest[Session]]:
        """Let a procedure's handler log in to this session until the block ends."""
        return self._guests.invited(self)

    def close(self) -> None:
        """Roll back the open transaction and drop temporary objects."""
        self.transactions.rollback()
        for cleanup in reversed(self.cleanups):
            cleanup()
        for routine in self.routines.temporary.values():
            self.warehouse.functions.drop(routine, self.number)
        self.warehouse.functions.end_session(self.number)
        self._layer.close()
        self.connection.close()

    def dispatch(self, statement: Statement, bindings: Bindings) -> StatementResult:
        """Run a statement by its handler or by fakesnow, inside the open transaction."""
        return self._layer.run(statement, bindings, self.run_in_fakesnow)

    def _run(self, statement: Statement, bindings: Bindings) -> StatementResult:
        if statement.is_call:
            return self.dispatch(statement, bindings)
        return self.transactions.run(
            statement,
            table_to_lock(statement, self, self.temporaries),
            lambda: self.dispatch(statement, bindings),
            lock_seconds=lock_seconds(self),
        )

    def _describe_in_fakesnow(self, statement: Statement) -> list[ColumnInfo] | None:
        if statement.expression is None:
            return None
        return self.connection.cursor().describe_only(statement.sql)

    def _end_statement(self) -> None:
        while self.after_statement:
            self.after_statement.pop()()

    def _prepare(self, statement: Statement, bindings: Bindings) -> tuple[Statement, Bindings]:
        sql = self.connection.variables.inline_variables(statement.sql)
        return self._layer.prepare(Statement(sql, statement.binds), bindings)


def _copied(values: Values | None) -> Values | None:
    return values.copy() if values is not None else None

"""A client's session: its connection, its transaction, its way from statement to result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs
from fakesnow.dialect import parse_one
from fakesnow.statement_type import DML_TYPE_IDS, SELECT, statement_type_id
from snowflake.connector.errors import ProgrammingError
from sqlglot import Expr, exp

from local_snowflake.dialect.aggregates import is_over_text
from local_snowflake.dialect.identifiers import inline_identifiers
from local_snowflake.engine.layer import DescribingHandler, Layer
from local_snowflake.engine.preflight import Preflight
from local_snowflake.engine.result_types import conform, rowtype
from local_snowflake.engine.results import Description, StatementResult, status_result
from local_snowflake.engine.table_locks import table_to_lock
from local_snowflake.engine.transactions import Transactions
from local_snowflake.engine.upstream import Connection
from local_snowflake.engine.warehouse import Warehouse
from local_snowflake.objects.relation_times import RelationTimes
from local_snowflake.objects.session_parameters import DEFAULTS, lock_seconds, set_parameter
from local_snowflake.objects.temporary import TemporaryObjects
from local_snowflake.routines.catalog import SessionRoutines
from local_snowflake.routines.duck_functions import SESSION_VARIABLE
from local_snowflake.routines.handlers.running import RunningHandlers
from local_snowflake.routines.large_batches import in_large_batches
from local_snowflake.sql.bindings import NO_BINDINGS, Bindings, Values
from local_snowflake.sql.errors import SYNTAX_ERROR, as_sql_error, unsupported
from local_snowflake.sql.names import resolve, target_of
from local_snowflake.sql.statements import Statement
from local_snowflake.stages.staged_select import SelectFromStage

_DESCRIBED_BY_RUNNING = {"SHOW", "DESCRIBE", "DESC", "LIST", "LS", "SELECT", "WITH"}


class Session:
    """One login. Its methods are called by one thread at a time: `lock` sees to that.

    Args:
        token: By which requests name the session.
        warehouse: The database files.
        layer: The gap-fillers.
        database: The current database at first, if it exists.
        schema: The current schema at first, if it exists.
        user: The login name.
        number: The session's id as clients see it.
        parameters: The session parameters that the client asked for at login.
        autocommit: Whether each DML statement outside a transaction commits.

    Attributes:
        duck: The session's DuckDB connection, for handlers.
        cleanups: Called when the session ends, last added first, to drop what was temporary.
        times: Where handlers tell which tables and views they have changed.
        after_statement: Called when the statement that runs has ended, for what only it needs.
        warehouse_name: What USE WAREHOUSE or the login named.
        role_name: What USE ROLE or the login named.
        temporaries: The session's temporary tables and views.
        routines: The procedures and functions that it sees.
        handlers: The processes of the procedures that it has called.
        readers: Connections that read for the statement that runs, beside its own.
        preflight: Checks statements before they run in a transaction.
        cast_aggregates: Whether the statement that runs has aggregates over text.
        last_query_id: The id of the last statement that succeeded.
    """

    def __init__(
        self,
        token: str,
        warehouse: Warehouse,
        layer: Layer,
        *,
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
        self.layer = layer
        self.warehouse_name = warehouse_name
        self.role_name = role_name
        self.user = user
        self.number = number
        self.parameters: dict[str, str] = {}
        for name, value in (parameters or {}).items():
            # At login drivers send parameters of their own that mean nothing to a warehouse.
            if name.upper() in DEFAULTS and name.upper() != "AUTOCOMMIT":
                set_parameter(self, name, str(value))
            else:
                self.parameters[name.upper()] = str(value)
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
        self.connection = Connection(self, self.duck, database, schema)
        self.temporaries = TemporaryObjects()
        self.routines = SessionRoutines(warehouse.routines)
        self.handlers = RunningHandlers()
        self.readers: list[duckdb.DuckDBPyConnection] = []
        self.preflight = Preflight(self)
        self.cast_aggregates = False

    def run(self, statement: Statement, bindings: Bindings, query_id: str) -> StatementResult:
        """Run a statement under the transaction rules.

        Raises:
            SqlError: Whatever went wrong.
        """
        self.handlers.begin()
        self.warehouse.functions.begin(self.number)
        try:
            statement = self._with_variables(statement)
            statement, bindings = inline_identifiers(statement, bindings)
            result = self._run(statement, bindings)
        except Exception as error:
            failure = self.warehouse.functions.take_failure(self.number)
            raise failure or as_sql_error(error, statement) from error
        finally:
            self._clear_up()
        self.warehouse.results.add(query_id, result)
        self.last_query_id = query_id
        return result

    def describe(self, statement: Statement) -> Description:
        """The columns that a statement would give, without its rows and without its effects.

        Raises:
            SqlError: Whatever went wrong.
        """
        try:
            statement = self._with_variables(statement)
            statement, _ = inline_identifiers(statement, NO_BINDINGS)
            expression = statement.expression
            type_id = statement_type_id(expression) if expression else SELECT
            columns = None
            handler = self.layer.handler_for(statement)
            if isinstance(handler, DescribingHandler):
                columns = handler.described(self, statement)
            elif expression and not isinstance(handler, SelectFromStage):
                columns = self.connection.cursor().describe_only(statement.sql)
            if columns is None and statement.keyword in _DESCRIBED_BY_RUNNING:
                columns = self.dispatch(statement, Bindings()).rowtype
            if columns is None:
                columns = status_result().rowtype
            return Description(columns, type_id, statement.binds)
        except Exception as error:
            raise as_sql_error(error, statement) from error
        finally:
            self._clear_up()

    def upstream(self, statement: Statement, bindings: Bindings) -> StatementResult:
        """Run a statement by fakesnow.

        Raises:
            SqlError: Neither sqlglot nor DuckDB knows the statement.
        """
        expression = statement.expression or parse_one(statement.sql)  # raises: it is not readable
        cursor = self.connection.cursor()
        affected = 0
        try:
            for values in bindings.rows:
                affected += cursor.run(expression.copy(), _copied(values))
        except ProgrammingError as error:
            if isinstance(expression, exp.Command) and error.errno == SYNTAX_ERROR:
                # sqlglot passes on what it does not know, and DuckDB does not know it either.
                raise unsupported(statement.label) from error
            raise
        type_id = statement_type_id(expression)
        target = target_of(expression)
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

    def run_translated(self, expression: Expr, bindings: Bindings, *, suffix: str = "") -> pa.Table:
        """Run a parsed statement in DuckDB as fakesnow translates it; for handlers.

        Unlike `upstream` this does nothing around it: no status, no bookkeeping. The tree is
        changed.

        Args:
            expression: The statement.
            bindings: Its values.
            suffix: What to append in DuckDB's language.
        """
        values = _copied(bindings.rows[0])
        translated = self.connection.cursor().translate(expression, values)
        self.preflight.check(translated, values)
        translated = in_large_batches(translated, self)
        return self.duck.execute(
            translated.sql(dialect="duckdb") + suffix,
            values if translated.find(exp.Placeholder) else None,
        ).to_arrow_table()

    def select(self, sql: str, values: Sequence[Any] | None = None) -> StatementResult:
        """Run a query in DuckDB's SQL and give its result, for handlers."""
        table = self.duck.execute(sql, values).to_arrow_table()
        described = self.duck.execute(f"DESCRIBE {sql}", values).fetchall()
        return StatementResult(conform(table), rowtype(described))

    def use(self, database: str, schema: str) -> None:
        """Make an existing schema the current one."""
        self.duck.execute(f'SET schema = \'"{database}"."{schema}"\'')
        self.connection.set_current(database, schema)

    def leave_database(self) -> None:
        """Have no current database, as after dropping it."""
        self.duck.execute("SET schema = 'memory.main'")
        self.connection.set_current(None, None)

    def interrupt(self, beyond: int = 0) -> None:
        """Stop the statement that is running, if one is; may be called from another thread.

        Args:
            beyond: How many of the outermost procedures that the session is in go on.
        """
        self.handlers.stop(beyond)
        self.interrupt_query()

    def interrupt_query(self) -> None:
        """Stop the query that is running, and no procedure."""
        self.transactions.stop_waiting()
        self.warehouse.functions.stop(self.number)
        for duck in [self.duck, *self.readers]:
            with suppress(duckdb.ConnectionException):  # it has been closed meanwhile
                duck.interrupt()

    @property
    def runs_handler(self) -> bool:
        """Whether the statement that runs waits for code in Python."""
        return len(self.handlers) > 0 or self.warehouse.functions.is_busy(self.number)

    def close(self) -> None:
        """Roll back what is open and drop what was temporary."""
        self.transactions.rollback()
        for cleanup in reversed(self.cleanups):
            cleanup()
        for routine in self.routines.temporary.values():
            self.warehouse.functions.forget(routine, self.number)
        self.warehouse.functions.end(self.number)
        self.preflight.close()
        self.connection.close()

    def dispatch(self, statement: Statement, bindings: Bindings) -> StatementResult:
        """Run a statement by its handler or by fakesnow, inside the open transaction."""
        try:
            return self._dispatch(statement, bindings)
        except (duckdb.BinderException, ProgrammingError) as error:
            if self.cast_aggregates or not is_over_text(error):
                raise
        self.cast_aggregates = True
        try:
            return self._dispatch(statement, bindings)
        finally:
            self.cast_aggregates = False

    def _run(self, statement: Statement, bindings: Bindings) -> StatementResult:
        if statement.is_call:
            return self.dispatch(statement, bindings)
        return self.transactions.run(
            statement,
            table_to_lock(statement, self),
            lambda: self.dispatch(statement, bindings),
            lock_seconds=lock_seconds(self),
        )

    def _dispatch(self, statement: Statement, bindings: Bindings) -> StatementResult:
        handler = self.layer.handler_for(statement)
        if handler is not None:
            return handler.run(self, statement, bindings)
        return self.upstream(statement, bindings)

    def _clear_up(self) -> None:
        while self.after_statement:
            self.after_statement.pop()()

    def _with_variables(self, statement: Statement) -> Statement:
        return Statement(self.connection.variables.inline_variables(statement.sql), statement.binds)


def _copied(values: Values | None) -> Values | None:
    return values.copy() if values is not None else None

"""The layer over fakesnow at work in one session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import duckdb
from fakesnow.rowtype import ColumnInfo
from snowflake.connector.errors import ProgrammingError
from sqlglot import Expr

from local_snowflake.engine.context import Retry, StatementContext
from local_snowflake.engine.layer import DescribingHandler, Layer
from local_snowflake.engine.preflight import Preflight
from local_snowflake.engine.results import StatementResult
from local_snowflake.sql.bindings import Bindings, Values
from local_snowflake.sql.statements import Statement

_Session = TypeVar("_Session", bound=StatementContext)


class AppliedLayer(Generic[_Session]):
    """Prepares a session's statements, finds their handlers and rewrites what fakesnow runs.

    It is the hooks of the session's cursors (`upstream.CursorHooks`).

    Args:
        session: The session, which handlers and rewrites receive.
        layer: The gap-fillers.

    Attributes:
        retry: The translation that is tried now, after DuckDB refused the first one.
    """

    def __init__(self, session: _Session, layer: Layer[_Session]) -> None:
        self.retry: Retry | None = None
        self._session = session
        self._layer = layer
        self._preflight = Preflight(session, layer.may_need_retry)

    def prepare(self, statement: Statement, bindings: Bindings) -> tuple[Statement, Bindings]:
        """Change the text of a statement and its values before anything else sees it."""
        for prepare in self._layer.prepare:
            statement, bindings = prepare(statement, bindings)
        return statement, bindings

    def run(
        self,
        statement: Statement,
        bindings: Bindings,
        without_handler: Callable[[Statement, Bindings], StatementResult],
    ) -> StatementResult:
        """Run a statement by its handler, else by `without_handler`.

        If DuckDB refuses it, and there is another translation, it is run again.
        """
        try:
            return self._run_once(statement, bindings, without_handler)
        except (duckdb.BinderException, ProgrammingError) as error:
            retry = None if self.retry else self._layer.retry_for(error)
            if retry is None:
                raise
        self.retry = retry
        try:
            return self._run_once(statement, bindings, without_handler)
        finally:
            self.retry = None

    def describe(
        self,
        statement: Statement,
        without_handler: Callable[[Statement], list[ColumnInfo] | None],
    ) -> list[ColumnInfo] | None:
        """Describe a statement by its handler, else by `without_handler`; None: it has to run."""
        handler = self._layer.handler_for(statement)
        if isinstance(handler, DescribingHandler):
            return handler.describe(self._session, statement)
        return without_handler(statement)

    def rewrite_before(self, expression: Expr) -> Expr:
        """Apply the rewrites to a Snowflake syntax tree."""
        for rewrite in self._layer.before:
            expression = rewrite(expression, self._session)
        return expression

    def rewrite_after(self, expression: Expr) -> Expr:
        """Apply the rewrites to a DuckDB syntax tree."""
        for rewrite in self._layer.after:
            expression = rewrite(expression, self._session)
        return expression

    def before_execute(self, expression: Expr, values: Values | None) -> Expr:
        """Check a DuckDB syntax tree that is about to run, and apply the rewrites."""
        self._preflight.check(expression, values)
        for rewrite in self._layer.before_execute:
            expression = rewrite(expression, self._session)
        return expression

    def close(self) -> None:
        """Close the connection beside the session's own."""
        self._preflight.close()

    def _run_once(
        self,
        statement: Statement,
        bindings: Bindings,
        without_handler: Callable[[Statement, Bindings], StatementResult],
    ) -> StatementResult:
        handler = self._layer.handler_for(statement)
        if handler is not None:
            return handler.run(self._session, statement, bindings)
        return without_handler(statement, bindings)

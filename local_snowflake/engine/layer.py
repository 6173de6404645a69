"""The extension points of the layer over fakesnow; `gap_fillers.py` lists what fills them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

from duckdb import DuckDBPyConnection
from fakesnow.rowtype import ColumnInfo
from sqlglot import Expr

from local_snowflake.engine.context import Retry, WarehouseAccess
from local_snowflake.engine.results import StatementResult
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.statements import Statement

_Context = TypeVar("_Context")
_Context_contra = TypeVar("_Context_contra", contravariant=True)

Rewrite = Callable[[Expr, _Context], Expr]
"""Receives a statement's syntax tree, which it may change, and returns the tree to go on with."""


class StatementHandler(Protocol[_Context_contra]):
    """Runs statements that fakesnow cannot run.

    The transaction is handled before and after `run` (see `transactions.py`): a handler raises on
    failure and never begins, commits or rolls back.
    """

    def matches(self, statement: Statement) -> bool:
        """Whether this handler runs the statement; the first handler that matches does."""
        ...

    def run(
        self, session: _Context_contra, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Run the statement.

        Raises:
            SqlError: With a message for the user; any other exception is turned into one.
        """
        ...


@runtime_checkable
class DescribingHandler(StatementHandler[_Context_contra], Protocol[_Context_contra]):
    """A handler that can describe a statement's columns without running it."""

    def describe(self, session: _Context_contra, statement: Statement) -> list[ColumnInfo] | None:
        """Return the columns of the result; None if they are known only after running it."""
        ...


@dataclass(frozen=True)
class Layer(Generic[_Context]):
    """All gap-fillers, in the order in which they are tried or applied.

    Attributes:
        handlers: Run whole statements in place of fakesnow.
        prepare: Change the text of a statement and its values before anything else sees it.
        before: Change the Snowflake syntax tree before fakesnow translates it.
        after: Change the DuckDB syntax tree that fakesnow made.
        before_execute: Change the DuckDB syntax tree that is about to run.
        retry_after: Other translations for statements that DuckDB refuses.
        on_start: Called once when the warehouse has opened its files, before any session.
        on_open_database: Called for each database that is created or, at the start, opened; with a
            connection and the database's name.
    """

    handlers: tuple[StatementHandler[_Context], ...] = ()
    prepare: tuple[Callable[[Statement, Bindings], tuple[Statement, Bindings]], ...] = ()
    before: tuple[Rewrite[_Context], ...] = ()
    after: tuple[Rewrite[_Context], ...] = ()
    before_execute: tuple[Rewrite[_Context], ...] = ()
    retry_after: tuple[Retry, ...] = ()
    on_start: tuple[Callable[[WarehouseAccess], None], ...] = ()
    on_open_database: tuple[Callable[[DuckDBPyConnection, str], None], ...] = ()

    def handler_for(self, statement: Statement) -> StatementHandler[_Context] | None:
        """Find the handler that runs the statement; None if fakesnow does."""
        return next((h for h in self.handlers if h.matches(statement)), None)

    def retry_for(self, error: Exception) -> Retry | None:
        """Find the translation to try after an error; None if there is none."""
        return next((r for r in self.retry_after if r.is_needed(error)), None)

    def may_need_retry(self, statement: Expr) -> bool:
        """Whether DuckDB may refuse a statement for which there is another translation."""
        return any(r.may_be_needed(statement) for r in self.retry_after)

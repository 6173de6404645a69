"""The extension points of the layer over fakesnow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sqlglot import Expr

from local_snowflake.engine.results import StatementResult
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.statements import Statement

if TYPE_CHECKING:
    from fakesnow.rowtype import ColumnInfo

    # sessions are built with a layer, handlers work on sessions
    from local_snowflake.engine.session import Session

Rewrite = Callable[[Expr, "Session"], Expr]
"""Gets a statement's syntax tree, which it may change, and returns the tree to go on with."""


class StatementHandler(Protocol):
    """Runs the statements that fakesnow cannot.

    The transaction is taken care of before and after `run` (see `transactions.py`): a handler
    raises on failure and never begins, commits or rolls back.
    """

    def matches(self, statement: Statement) -> bool:
        """Whether this handler runs the statement; the first handler that says so does."""
        ...

    def run(self, session: Session, statement: Statement, bindings: Bindings) -> StatementResult:
        """Run the statement.

        Raises:
            SqlError: With a message for the user; any other exception is turned into one.
        """
        ...


@runtime_checkable
class DescribingHandler(StatementHandler, Protocol):
    """A handler that tells a statement's columns without running it."""

    def described(self, session: Session, statement: Statement) -> list[ColumnInfo] | None:
        """The columns of the result; None: only running the statement shows them."""
        ...


@dataclass(frozen=True)
class Layer:
    """All gap-fillers, in the order in which they are tried or applied.

    Attributes:
        handlers: Run whole statements in place of fakesnow.
        before: Change the Snowflake syntax tree before fakesnow translates it.
        after: Change the DuckDB syntax tree that fakesnow made.
    """

    handlers: tuple[StatementHandler, ...] = ()
    before: tuple[Rewrite, ...] = ()
    after: tuple[Rewrite, ...] = ()

    def handler_for(self, statement: Statement) -> StatementHandler | None:
        """The handler that runs the statement; None: fakesnow does."""
        return next((h for h in self.handlers if h.matches(statement)), None)

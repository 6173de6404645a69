"""What handlers and rewrites may use of the session that runs their statement.

They depend on these Protocols and not on `Session`, which is built from them: so imports point in
one direction. `routines/context.py` adds what procedures and functions need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs
from duckdb import DuckDBPyConnection
from sqlglot import Expr

from local_snowflake.engine.recent_results import RecentResults
from local_snowflake.engine.results import StatementResult
from local_snowflake.engine.transactions import Transactions
from local_snowflake.sql.bindings import Bindings, Values
from local_snowflake.sql.names import Name, NameScope
from local_snowflake.sql.statements import Statement


@dataclass(frozen=True)
class Retry:
    """Another translation of a statement, tried once after DuckDB has refused the first.

    Attributes:
        may_be_needed: Whether DuckDB may refuse this statement, given in DuckDB's syntax tree. It
            is then bound before it runs, so that nothing has happened when it is refused.
        is_needed: Whether an exception is the refusal that this translation is for.
    """

    may_be_needed: Callable[[Expr], bool]
    is_needed: Callable[[Exception], bool]


class WarehouseAccess(Protocol):
    """The warehouse that all sessions share."""

    @property
    def stages(self) -> Path:
        """The folder of all stages."""
        ...

    @property
    def results(self) -> RecentResults:
        """The recent results of all sessions."""
        ...

    def connect(self) -> DuckDBPyConnection:
        """Open a connection with its own transaction, current schema and temporary tables."""
        ...

    def has_database(self, name: str) -> bool:
        """Whether the database exists."""
        ...

    def has_schema(self, database: str, schema: str) -> bool:
        """Whether the schema exists."""
        ...

    def create_database(self, name: str) -> None:
        """Create a database with the schema PUBLIC."""
        ...

    def drop_database(self, name: str) -> None:
        """Delete a database with its file and its stages."""
        ...

    def drop_routines(self, database: str, schema: str | None = None) -> None:
        """Drop the procedures and functions of a database or schema."""
        ...


class TemporaryRelations(Protocol):
    """The session's temporary tables and views."""

    def __contains__(self, name: object) -> bool: ...

    def __bool__(self) -> bool: ...

    def add(self, name: Name) -> None:
        """Record a relation that was created."""
        ...

    def discard(self, name: Name) -> None:
        """Remove a relation that was dropped or renamed."""
        ...

    def within(self, database: str, schema: str | None = None) -> list[Name]:
        """Return the relations in a database, or in one of its schemas."""
        ...

    def physical(self, name: Name) -> Name:
        """Return where DuckDB has the relation: the temporary one, if there is one."""
        ...


class RelationChanges(Protocol):
    """Where handlers report the tables and views that they have changed."""

    def created(self, relation: Name) -> None:
        """Record that a relation was created, perhaps in place of another one."""
        ...

    def altered(self, relation: Name) -> None:
        """Record that a relation's definition, or all of it, was changed."""
        ...

    def rows_changed(self, table: Name) -> None:
        """Record that rows of a table were inserted, changed or deleted."""
        ...

    def moved(self, moves: Mapping[Name, Name]) -> None:
        """Record that relations were renamed: from the old name to the new one, all at once."""
        ...


class StatementContext(NameScope, Protocol):
    """The session that runs a statement, as its handlers and rewrites see it.

    Attributes:
        role_name: The role that USE ROLE or the login named.
        warehouse_name: The warehouse that USE WAREHOUSE or the login named.
        parameters: The session parameters that were set.
    """

    role_name: str | None
    warehouse_name: str | None
    parameters: dict[str, str]

    @property
    def duck(self) -> DuckDBPyConnection:
        """The session's connection, for SQL in DuckDB's dialect."""
        ...

    @property
    def warehouse(self) -> WarehouseAccess:
        """The warehouse that all sessions share."""
        ...

    @property
    def transactions(self) -> Transactions:
        """The session's transaction."""
        ...

    @property
    def temporaries(self) -> TemporaryRelations:
        """The session's temporary tables and views."""
        ...

    @property
    def times(self) -> RelationChanges:
        """Where handlers report the tables and views that they have changed."""
        ...

    @property
    def cleanups(self) -> list[Callable[[], None]]:
        """Functions that are called when the session ends, last added first."""
        ...

    @property
    def after_statement(self) -> list[Callable[[], object]]:
        """Functions that are called when the running statement has ended."""
        ...

    @property
    def retry(self) -> Retry | None:
        """The translation that is tried now, after DuckDB refused the first one; else None."""
        ...

    @property
    def user(self) -> str:
        """The login name."""
        ...

    @property
    def number(self) -> int:
        """The session's id as clients see it."""
        ...

    @property
    def last_query_id(self) -> str | None:
        """The id of the last statement that succeeded."""
        ...

    @property
    def variables(self) -> Mapping[str, str]:
        """The session's `$name` variables."""
        ...

    def use(self, database: str, schema: str) -> None:
        """Make an existing schema the current one."""
        ...

    def leave_database(self) -> None:
        """Unset the current database, as after dropping it."""
        ...

    def select(self, sql: str, values: Sequence[Any] | None = None) -> StatementResult:
        """Run a query in DuckDB's dialect and return its result."""
        ...

    def translate(self, expression: Expr, values: Values | None = None) -> Expr:
        """Translate a parsed statement into DuckDB's dialect; the tree is changed."""
        ...

    def run_translated(self, expression: Expr, bindings: Bindings, *, suffix: str = "") -> pa.Table:
        """Translate a parsed statement and run it in DuckDB; the tree is changed."""
        ...

    def run_in_fakesnow(self, statement: Statement, bindings: Bindings) -> StatementResult:
        """Run a statement by fakesnow, as if no handler existed."""
        ...

    def dispatch(self, statement: Statement, bindings: Bindings) -> StatementResult:
        """Run a statement by its handler or by fakesnow, inside the open transaction."""
        ...

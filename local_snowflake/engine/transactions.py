"""Snowflake's transaction rules on a DuckDB connection.

What fakesnow lacks: it commits before DDL only in sessions with autocommit off, runs each of the
several DuckDB statements of one MERGE or COPY in a transaction of its own, and leaves a session
unusable after an error inside a transaction (DuckDB: "Current transaction is aborted").

The rules, from https://docs.snowflake.com/en/sql-reference/transactions:

- DDL commits the open transaction and is a transaction of its own.
- With autocommit, a DML statement outside a transaction is all or nothing.
- Without autocommit, the first DML statement begins a transaction.
- An error undoes its statement and leaves the transaction open. DuckDB has no savepoints: an error
  at run time also undoes the transaction's earlier work. The session can go on, but nothing more is
  kept until ROLLBACK, and COMMIT fails, so that no part of the work is committed silently.
- Statements see what was committed before they began, and wait while another transaction writes to
  the same table (see `table_locks`). A DuckDB transaction sees what was committed before it began,
  and fails when it meets a later change. So a transaction that has written nothing yet is begun
  again for each statement; a statement that meets a conflict, such as two CREATE SCHEMA IF NOT
  EXISTS at once, is run again (`conflicts`), unless its transaction has written before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Protocol, TypeVar

import duckdb
from duckdb import DuckDBPyConnection

from local_snowflake.engine.conflicts import repeat_after_conflicts
from local_snowflake.engine.table_locks import LOCK_SECONDS, TableLocks
from local_snowflake.sql.errors import SqlError
from local_snowflake.sql.names import Name
from local_snowflake.sql.statements import Statement

_T = TypeVar("_T")
_CONTROL = {"BEGIN", "START", "COMMIT", "ROLLBACK"}
_READING = {"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "LIST", "LS", "USE", "SET"}


class _State(Enum):
    NONE = auto()
    OPEN = auto()
    LOST = auto()  # open, but an error undid its earlier work: it can only be rolled back


class PendingTimes(Protocol):
    """The times of tables and views that the open transaction has changed."""

    def write(self) -> None:
        """Write them; called inside the transaction, right before its commit."""
        ...

    def forget(self) -> None:
        """Discard them: the transaction was rolled back."""
        ...


class Transactions:
    """The transaction state of one session.

    Args:
        duck: The session's connection.
        locks: The table locks of all sessions.
        times: The times of what the open transaction has changed.
        autocommit: Whether each DML statement outside a transaction commits.
    """

    def __init__(
        self,
        duck: DuckDBPyConnection,
        locks: TableLocks,
        times: PendingTimes,
        *,
        autocommit: bool,
    ) -> None:
        self._duck = duck
        self._locks = locks
        self._times = times
        self._has_written = False
        self._state = _State.NONE
        self._autocommit = autocommit
        self._after_commit: list[Callable[[], None]] = []

    @property
    def is_open(self) -> bool:
        """Whether a transaction is open that goes on after the statement."""
        return self._state is not _State.NONE

    def left_open(self, *, was_open: bool) -> bool:
        """Whether a procedure has begun a transaction and not ended it.

        Without autocommit its statements have begun one that its caller has to end.
        """
        return self.is_open and not was_open and self._autocommit

    def set_autocommit(self, autocommit: bool) -> None:
        """Switch autocommit; the open transaction is committed first, as in Snowflake."""
        self.commit()
        self._autocommit = autocommit

    def after_commit(self, action: Callable[[], None]) -> None:
        """Call a function when the open transaction is committed, for work outside the database."""
        self._after_commit.append(action)

    def begin(self) -> None:
        """Open a transaction, if none is open."""
        if self._state is _State.NONE:
            self._duck.begin()
            self._state = _State.OPEN
            self._has_written = False

    def commit(self) -> None:
        """Commit the open transaction, if there is one.

        Raises:
            SqlError: An earlier error undid the transaction's work.
        """
        state, self._state = self._state, _State.NONE
        try:
            if state is _State.LOST:
                self._duck.rollback()
                raise SqlError(
                    "The transaction cannot be committed: a statement in it failed, and the "
                    "embedded warehouse then rolls back the whole transaction. Its statements must "
                    "be repeated.",
                    601,
                    "25000",
                )
            if state is _State.OPEN:
                self._write_times()
                self._duck.commit()
                self._run_after_commit()
        finally:
            self._discard_actions()
            self._locks.release(self)

    def rollback(self) -> None:
        """Roll back the open transaction, if there is one."""
        if self._state is not _State.NONE:
            self._state = _State.NONE
            self._discard_actions()
            try:
                self._duck.rollback()
            finally:
                self._locks.release(self)

    def stop_waiting(self) -> None:
        """Make a statement that waits for a lock fail; may be called from another thread."""
        self._locks.cancel(self)

    def run(
        self,
        statement: Statement,
        lock: Name | None,
        action: Callable[[], _T],
        *,
        lock_seconds: float = LOCK_SECONDS,
    ) -> _T:
        """Run a statement under the rules above.

        Args:
            statement: The statement.
            lock: The table that it locks, if any.
            action: Runs it; called again after a conflict.
            lock_seconds: How long to wait for that table's lock.
        """
        if statement.is_ddl:
            self.commit()

        def run_once() -> _T:
            with self._transaction_rules(statement, lock, lock_seconds):
                return action()

        return repeat_after_conflicts(
            run_once,
            lambda: statement.keyword not in _CONTROL and self._state is not _State.LOST,
        )

    @contextmanager
    def _transaction_rules(
        self, statement: Statement, lock: Name | None, lock_seconds: float
    ) -> Iterator[None]:
        if statement.is_dml and not self._autocommit:
            self.begin()
        # Not all DDL: sequences and stages are written to a database of fakesnow's own, and a
        # DuckDB transaction writes to one database only.
        own = (statement.is_dml or statement.is_relation_ddl) and not self.is_open
        try:
            if lock is not None and self._state is not _State.LOST:
                self._locks.acquire(lock, self, lock_seconds)
            if own:
                with self._own_transaction():
                    yield
                return
            self._refresh_snapshot()
            try:
                yield
            except Exception:
                self._after_error()
                raise
            if statement.keyword not in _READING | _CONTROL:
                self._has_written = True
        finally:
            if own:
                self._locks.release(self)

    def _refresh_snapshot(self) -> None:
        if self._state is _State.OPEN and not self._has_written:
            self._duck.rollback()
            self._duck.begin()

    @contextmanager
    def _own_transaction(self) -> Iterator[None]:
        self._duck.begin()
        try:
            yield
        except BaseException:
            self._discard_actions()
            self._duck.rollback()
            raise
        try:
            self._write_times()
            self._duck.commit()
        except BaseException:
            self._discard_actions()
            raise
        self._run_after_commit()

    def _write_times(self) -> None:
        try:
            self._times.write()
        except BaseException:
            self._duck.rollback()
            raise

    def _discard_actions(self) -> None:
        self._after_commit.clear()
        self._times.forget()

    def _run_after_commit(self) -> None:
        actions, self._after_commit = self._after_commit, []
        for action in actions:
            action()

    def _after_error(self) -> None:
        if self.is_open and self._is_aborted():
            self._discard_actions()
            self._duck.rollback()
            self._duck.begin()
            if self._has_written:
                self._state = _State.LOST
                self._locks.release(self)

    def _is_aborted(self) -> bool:
        try:
            self._duck.execute("SELECT 1")
        except duckdb.TransactionException:
            return True
        return False

"""UPDATE, DELETE, MERGE and TRUNCATE of one table wait for each other.

What upstream lacks: DuckDB lets writers go on side by side and fails the one that comes second with
a conflict; and two MERGEs that insert the same new key both insert it. In Snowflake such statements
lock their table until their transaction ends, INSERT and COPY do not:
https://docs.snowflake.com/en/sql-reference/transactions#resource-locking
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakSet

from sqlglot import exp

from local_snowflake.sql.errors import CANCELED, SqlError
from local_snowflake.sql.names import Name, resolve, target_of
from local_snowflake.sql.statements import Statement

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session

LOCK_SECONDS = 600.0
"""How long to wait at most; in Snowflake it is what LOCK_TIMEOUT says, by default 12 hours."""

_LOCKING = exp.Update | exp.Delete | exp.Merge | exp.TruncateTable


class TableLocks:
    """Who holds which table. Locks are told apart by owner: whoever has one may take it again."""

    def __init__(self) -> None:
        self._owners: dict[Name, object] = {}
        self._waiting: dict[object, Name] = {}
        self._cancelled: WeakSet[object] = WeakSet()
        self._changed = threading.Condition()

    def acquire(self, name: Name, owner: object, seconds: float = LOCK_SECONDS) -> None:
        """Wait until the table is free, and take it.

        Raises:
            SqlError: It stays taken, the wait was cancelled, or two owners wait for each other.
        """
        with self._changed:
            self._cancelled.discard(owner)
            if self._is_free(name, owner):
                self._owners[name] = owner
                return
            self._waiting[owner] = name
            try:
                if self._is_deadlock(owner):
                    raise SqlError(
                        f"Statement aborted: it waits for '{name}' and the transaction that has "
                        "locked it waits for this one.",
                        625,
                        "57014",
                    )
                done = self._changed.wait_for(self._wake_up_for(name, owner), seconds)
            finally:
                del self._waiting[owner]
            if owner in self._cancelled:
                raise SqlError("SQL execution canceled", CANCELED, "57014")
            if not done:
                raise SqlError(
                    f"Statement aborted: another transaction has locked '{name}' for more than "
                    f"{seconds:g} seconds.",
                    625,
                    "57014",
                )
            self._owners[name] = owner

    def release(self, owner: object) -> None:
        """Give back all tables of an owner."""
        with self._changed:
            self._owners = {name: by for name, by in self._owners.items() if by is not owner}
            self._changed.notify_all()

    def cancel(self, owner: object) -> None:
        """Let an owner stop to wait."""
        with self._changed:
            self._cancelled.add(owner)
            self._changed.notify_all()

    def _wake_up_for(self, name: Name, owner: object) -> Callable[[], bool]:
        return lambda: self._is_free(name, owner) or owner in self._cancelled

    def _is_free(self, name: Name, owner: object) -> bool:
        return self._owners.get(name, owner) is owner

    def _is_deadlock(self, owner: object) -> bool:
        other = self._owners.get(self._waiting[owner])
        while other in self._waiting:
            other = self._owners.get(self._waiting[other])
            if other is owner:
                return True
        return False


def table_to_lock(statement: Statement, session: Session) -> Name | None:
    """The table that a statement locks; None: it locks none."""
    expression = statement.expression if statement.is_dml else None
    if not isinstance(expression, _LOCKING):
        return None
    table = target_of(expression)
    if table is None:
        return None
    name = resolve(table, session)
    return None if name in session.temporaries else name

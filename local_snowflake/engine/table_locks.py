"""UPDATE, DELETE, MERGE and TRUNCATE of one table wait for each other.

What fakesnow lacks: DuckDB lets writers run side by side and fails the second one with a conflict;
and two MERGEs that insert the same new key both insert it. In Snowflake such statements lock their
table until their transaction ends, INSERT and COPY do not:
https://docs.snowflake.com/en/sql-reference/transactions#resource-locking
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container
from weakref import WeakSet

from sqlglot import exp

from local_snowflake.sql.errors import SqlError, canceled
from local_snowflake.sql.names import Name, NameScope, changed_table, resolve
from local_snowflake.sql.statements import Statement

LOCK_SECONDS = 600.0
"""The longest wait for a lock; in Snowflake it is LOCK_TIMEOUT, by default 12 hours."""

_LOCKING = exp.Update | exp.Delete | exp.Merge | exp.TruncateTable


class TableLocks:
    """Which owner holds the lock of which table. An owner may acquire its lock again."""

    def __init__(self) -> None:
        self._owners: dict[Name, object] = {}
        self._waiting: dict[object, Name] = {}
        self._cancelled: WeakSet[object] = WeakSet()
        self._changed = threading.Condition()

    def acquire(self, name: Name, owner: object, seconds: float = LOCK_SECONDS) -> None:
        """Wait until the table is free, and lock it.

        Raises:
            SqlError: It stays locked, the wait was cancelled, or two owners wait for each other.
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
                done = self._changed.wait_for(self._can_stop_waiting(name, owner), seconds)
            finally:
                del self._waiting[owner]
            if owner in self._cancelled:
                raise canceled()
            if not done:
                raise SqlError(
                    f"Statement aborted: another transaction has locked '{name}' for more than "
                    f"{seconds:g} seconds.",
                    625,
                    "57014",
                )
            self._owners[name] = owner

    def release(self, owner: object) -> None:
        """Release all locks of an owner."""
        with self._changed:
            self._owners = {name: by for name, by in self._owners.items() if by is not owner}
            self._changed.notify_all()

    def cancel(self, owner: object) -> None:
        """End the wait of an owner."""
        with self._changed:
            self._cancelled.add(owner)
            self._changed.notify_all()

    def _can_stop_waiting(self, name: Name, owner: object) -> Callable[[], bool]:
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


def table_to_lock(
    statement: Statement, scope: NameScope, temporaries: Container[Name]
) -> Name | None:
    """Return the table that a statement locks, if any; temporary tables need no lock."""
    expression = statement.expression if statement.is_dml else None
    if not isinstance(expression, _LOCKING):
        return None
    table = changed_table(expression)
    if table is None:
        return None
    name = resolve(table, scope)
    return None if name in temporaries else name

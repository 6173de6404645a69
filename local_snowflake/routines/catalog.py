"""The procedures and functions that exist.

Permanent ones are stored beside the catalog of stages, and kept in memory. Temporary ones belong to
their session and hide permanent ones of the same signature.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from duckdb import DuckDBPyConnection
from fakesnow.instance import GLOBAL_DATABASE_NAME

from local_snowflake.engine.context import WarehouseAccess
from local_snowflake.routines.definitions import FUNCTION, Routine, Signature, parse_routine
from local_snowflake.sql.errors import SqlError
from local_snowflake.sql.names import Name, NameScope, complete_name

_TABLE = f"{GLOBAL_DATABASE_NAME}._fs_information_schema._python_routines"


def create_routine_table(warehouse: WarehouseAccess) -> None:
    """Create the table of the permanent procedures and functions, if it does not exist."""
    with warehouse.connect() as duck:
        duck.execute(
            f"CREATE TABLE IF NOT EXISTS {_TABLE} "
            "(database_name VARCHAR, schema_name VARCHAR, signature VARCHAR, definition VARCHAR)"
        )


class RoutineCatalog:
    """The permanent procedures and functions of all databases.

    Args:
        duck: A connection of its own, so that writes are not part of a session's transaction.
    """

    def __init__(self, duck: DuckDBPyConnection) -> None:
        self._duck = duck
        self._lock = threading.Lock()
        rows = duck.execute(f"SELECT definition FROM {_TABLE}").fetchall()  # noqa: S608 - a constant
        routines = [parse_routine(row[0]) for row in rows]
        self._routines = {routine.signature: routine for routine in routines}

    def all(self) -> list[Routine]:
        """Return all of them."""
        return list(self._routines.values())

    def get(self, signature: Signature) -> Routine | None:
        """Return the routine of that signature."""
        return self._routines.get(signature)

    def put(self, routine: Routine) -> None:
        """Store a routine, in place of the one with the same signature."""
        with self._lock:
            self._delete([routine.signature])
            self._duck.execute(
                f"INSERT INTO {_TABLE} VALUES (?, ?, ?, ?)",  # noqa: S608 - a constant
                [
                    routine.name.database, routine.name.schema, _key(routine.signature),
                    routine.as_text(),
                ],
            )  # fmt: skip
            self._routines[routine.signature] = routine

    def drop(self, signatures: Iterable[Signature]) -> None:
        """Drop routines."""
        with self._lock:
            self._delete(list(signatures))

    def drop_within(self, database: str, schema: str | None = None) -> list[Routine]:
        """Drop the routines of a database or schema, and return them."""
        gone = [
            routine
            for routine in self.all()
            if routine.name.database == database and schema in {None, routine.name.schema}
        ]
        self.drop(routine.signature for routine in gone)
        return gone

    def _delete(self, signatures: list[Signature]) -> None:
        for signature in signatures:
            self._duck.execute(
                f"DELETE FROM {_TABLE} "  # noqa: S608 - a constant
                "WHERE database_name = ? AND schema_name = ? AND signature = ?",
                [signature.name.database, signature.name.schema, _key(signature)],
            )
            self._routines.pop(signature, None)


@dataclass
class SessionRoutines:
    """The procedures and functions that a session sees.

    Attributes:
        permanent: Those that all sessions see.
        temporary: Those of this session.
    """

    permanent: RoutineCatalog
    temporary: dict[Signature, Routine] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.temporary) or bool(self.permanent.all())

    def get(self, signature: Signature) -> Routine | None:
        """Return the routine of that signature, a temporary one first."""
        return self.temporary.get(signature) or self.permanent.get(signature)

    def visible(self) -> list[Routine]:
        """Return all that are not hidden, by name."""
        routines = {r.signature: r for r in self.permanent.all()} | self.temporary
        return [routine for _, routine in sorted(routines.items())]

    def named(self, kind: str, name: Name) -> list[Routine]:
        """Return all of one kind and name, with any arguments."""
        return [r for r in self.visible() if r.kind == kind and r.name == name]

    def search(self, kind: str, parts: list[str], scope: NameScope) -> list[Routine]:
        """Find what a name may mean; without a schema look into the current one, then into PUBLIC.

        See https://docs.snowflake.com/en/sql-reference/name-resolution.
        """
        if len(parts) == 1 and (scope.database is None or scope.schema is None):
            return []
        if len(parts) == 2 and scope.database is None:  # noqa: PLR2004 - schema and name
            return []
        found = self.named(kind, complete_name(parts, scope))
        if not found and len(parts) == 1:
            found = self.named(kind, complete_name(["PUBLIC", *parts], scope))
        return found


def unknown_routine(kind: str, what: object) -> SqlError:
    """Make the error for the call of a procedure or function that does not exist."""
    if kind == FUNCTION:
        return SqlError(
            f"SQL compilation error:\nUnknown user-defined function {what}.", 2141, "42601"
        )
    return SqlError(f"SQL compilation error:\nUnknown {kind.lower()} {what}.", 2140, "42601")


def _key(signature: Signature) -> str:
    return f"{signature.kind} {signature}"

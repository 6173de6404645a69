"""When tables and views were created and changed: CREATED, LAST_DDL, LAST_ALTERED.

What fakesnow lacks: they are always 1970-01-01, so that `dbt source freshness` without
`loaded_at_field`, which reads LAST_ALTERED, takes every table for stale.

Each database has a table of these times. A transaction appends a row per relation that it has
changed, right before it commits: so the times are those of the commit, and a rollback removes them.
Rows are appended and never updated, so that sessions that load one table at the same time do not
conflict; the latest time of a name counts (`inspection/information_schema.sql`). Superseded
rows are removed when a server opens the database.

Temporary relations have no times: no other session sees them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from duckdb import DuckDBPyConnection

from local_snowflake.sql.names import Name
from local_snowflake.sql.quoting import sql_identifier

SCHEMA = "_fs_information_schema"
TABLE = "relation_times"
_MANY_ROWS = 1000


@dataclass
class _Change:
    is_new: bool = False
    created: datetime | None = None  # of a relation that was renamed
    is_ddl: bool = False


class RelationTimes:
    """The tables and views that the open transaction of one session has changed.

    Args:
        duck: The session's connection.
    """

    def __init__(self, duck: DuckDBPyConnection) -> None:
        self._duck = duck
        self._changes: dict[Name, _Change] = {}

    def created(self, relation: Name) -> None:
        """Record that a relation was created, perhaps in place of another one."""
        self._change(relation, _Change(is_new=True, is_ddl=True))

    def altered(self, relation: Name) -> None:
        """Record that a relation's definition, or all of it, was changed."""
        self._change(relation, _Change(is_ddl=True))

    def rows_changed(self, table: Name) -> None:
        """Record that rows of a table were inserted, changed or deleted."""
        if table not in self._changes:
            self._change(table, _Change())

    def moved(self, moves: Mapping[Name, Name]) -> None:
        """Record that relations were renamed: from the old name to the new one, all at once."""
        created = {source: self._created(source) for source in moves}
        for source, target in moves.items():
            self._change(target, _Change(created=created[source], is_ddl=True))

    def write(self) -> None:
        """Append the changes; called inside the transaction, right before its commit."""
        changes, self._changes = self._changes, {}
        now = datetime.now(UTC)
        for name, change in changes.items():
            created = now if change.is_new else change.created
            self._duck.execute(
                f"INSERT INTO {_times(name.database)} VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - quoted
                [*name, created, now if change.is_ddl else None, now],
            )

    def forget(self) -> None:
        """Discard the changes: they were rolled back."""
        self._changes.clear()

    def _change(self, relation: Name, change: _Change) -> None:
        if relation.database != "temp":
            self._changes[relation] = change

    def _created(self, relation: Name) -> datetime | None:
        if relation.database == "temp":
            return None
        row = self._duck.execute(
            f"SELECT arg_max(created, last_altered) FROM {_times(relation.database)} "  # noqa: S608 - quoted
            "WHERE schema_name = ? AND relation_name = ?",
            [relation.schema, relation.name],
        ).fetchone()
        return row[0] if row else None


def prepare_relation_times(duck: DuckDBPyConnection, database: str) -> None:
    """Create a database's table of times, or compact it; called while no session uses it."""
    times = _times(database)
    duck.execute(
        f"CREATE SCHEMA IF NOT EXISTS {sql_identifier(database, SCHEMA)};"
        f"CREATE TABLE IF NOT EXISTS {times} (database_name VARCHAR, schema_name VARCHAR, "
        "relation_name VARCHAR, created TIMESTAMPTZ, last_ddl TIMESTAMPTZ, "
        "last_altered TIMESTAMPTZ)"
    )
    (rows,) = duck.execute(f"SELECT count(*) FROM {times}").fetchall()[0]  # noqa: S608 - quoted
    if rows > _MANY_ROWS:
        duck.execute(
            f"""CREATE OR REPLACE TABLE {times} AS
            SELECT database_name, schema_name, relation_name,
                arg_max(created, last_altered) AS created, max(last_ddl) AS last_ddl,
                max(last_altered) AS last_altered
            FROM {times} SEMI JOIN (
                SELECT database_name, schema_name, table_name AS relation_name FROM duckdb_tables()
                UNION ALL
                SELECT database_name, schema_name, view_name FROM duckdb_views()
            ) AS relations USING (database_name, schema_name, relation_name)
            GROUP BY ALL"""  # noqa: S608 - quoted
        )


def databases_with_times(duck: DuckDBPyConnection) -> list[str]:
    """Return the databases that have times: all but those that are being created."""
    rows = duck.execute(
        "SELECT database_name FROM duckdb_tables() WHERE schema_name = ? AND table_name = ?",
        [SCHEMA, TABLE],
    ).fetchall()
    return sorted(name for (name,) in rows)


def _times(database: str) -> str:
    return sql_identifier(database, SCHEMA, TABLE)

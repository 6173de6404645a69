"""Which files COPY INTO has loaded into which table, so that none is loaded twice.

What fakesnow lacks: it skips a file by its name alone, even if its content has changed, and keeps
the history over TRUNCATE. Here a file counts as the same while its size and its time of change are.
Snowflake keeps the history for 64 days, this warehouse for as long as the table exists.
See https://docs.snowflake.com/en/user-guide/data-load-considerations-load#load-metadata
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from duckdb import DuckDBPyConnection

from local_snowflake.sql.names import Name
from local_snowflake.sql.quoting import sql_identifier
from local_snowflake.stages.locations import StagedFile, StageLocation


class LoadHistory:
    """The files that were loaded into one table; part of the transaction that loads.

    Args:
        duck: The session's connection.
        table: The table's name in DuckDB.
        location: Where the files are.
    """

    def __init__(self, duck: DuckDBPyConnection, table: Name, location: StageLocation) -> None:
        self._duck = duck
        self._table = table
        self._location = location

    def loaded(self, files: Iterable[StagedFile]) -> set[str]:
        """Return the versions of those files that are loaded already."""
        if _is_temporary(self._table):
            return set()
        versions = [self.version(file) for file in files]
        rows = self._duck.execute(
            f"SELECT file_version FROM {_history(self._table)} "  # noqa: S608 - quoted
            "WHERE schema_name = ? AND table_name = ? AND list_contains(?, file_version)",
            [self._table.schema, self._table.name, versions],
        ).fetchall()
        return {version for (version,) in rows}

    def version(self, file: StagedFile) -> str:
        """Return what distinguishes a file from an earlier one of the same name."""
        stat = file.path.stat()
        return f"{self._location.stage}/{file.name} {stat.st_size} {stat.st_mtime_ns}"

    def add(self, loads: Iterable[tuple[StagedFile, str, int, int]]) -> None:
        """Record files, each with its status, the rows in it and the rows loaded."""
        if _is_temporary(self._table):
            return
        now = datetime.now(UTC)
        for file, status, parsed, loaded in loads:
            self._duck.execute(
                f"INSERT INTO {_history(self._table)} (schema_name, file_name, table_name, "  # noqa: S608 - quoted
                "last_load_time, status, row_count, row_parsed, error_count, file_version) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    self._table.schema, f"{self._location.stage}/{file.name}", self._table.name,
                    now, status, loaded, parsed, parsed - loaded, self.version(file),
                ],
            )  # fmt: skip


def prepare_load_history(duck: DuckDBPyConnection, database: str) -> None:
    """Complete fakesnow's table of loaded files in a database that is created or opened."""
    history = _history(Name(database, "", ""))
    duck.execute(f"ALTER TABLE IF EXISTS {history} ADD COLUMN IF NOT EXISTS file_version VARCHAR")


def clear_load_history(duck: DuckDBPyConnection, table: Name) -> None:
    """Allow all files to be loaded into a table again, as after TRUNCATE."""
    if not _is_temporary(table):
        duck.execute(
            f"DELETE FROM {_history(table)} WHERE schema_name = ? AND table_name = ?",  # noqa: S608 - quoted
            [table.schema, table.name],
        )


def _is_temporary(table: Name) -> bool:
    return table.database == "temp"


def _history(table: Name) -> str:
    return sql_identifier(table.database, "_fs_information_schema", "_fs_load_history")

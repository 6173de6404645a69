"""The DuckDB files behind the warehouse."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection
from fakesnow import info_schema, macros
from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.transforms import show, stage

from local_snowflake.engine.layer import Layer
from local_snowflake.engine.recent_results import RecentResults
from local_snowflake.engine.table_locks import TableLocks
from local_snowflake.routines.catalog import RoutineCatalog
from local_snowflake.routines.handler_processes.environment import HandlerEnvironment
from local_snowflake.routines.workers import FunctionWorkers
from local_snowflake.sql.errors import SqlError
from local_snowflake.sql.quoting import sql_identifier, sql_literal

DATABASES = ("RAW", "ANALYTICS", "ML")
LONGEST_NAME = 200
_NAME = re.compile(rf"[A-Za-z_][A-Za-z0-9_$]{{0,{LONGEST_NAME - 1}}}")


class Warehouse:
    """One DuckDB instance with a file per Snowflake database.

    It replaces fakesnow's `FakeSnow`, which keeps its catalog of stages, file formats, comments and
    text lengths in memory: here the catalog is a file too, so that it survives the process.

    Args:
        folder: Where the files are; one process at a time may use it.
        layer: The gap-fillers, of which some prepare the files.
    """

    def __init__(self, folder: Path, layer: Layer[Any]) -> None:
        self._layer = layer
        self.folder = folder
        self.databases = folder / "databases"
        self.stages = folder / "stages"
        for path in (self.databases, self.stages):
            path.mkdir(parents=True, exist_ok=True)
        use_stage_folder(self.stages)
        self.results = RecentResults()
        self.locks = TableLocks()
        # sqlglot writes this lambda syntax. Without a temp_directory DuckDB spills into the current
        # folder.
        self._duck = duckdb.connect(
            ":memory:",
            config={
                "lambda_syntax": "ENABLE_SINGLE_ARROW",
                "temp_directory": str(folder / "spill"),
                # By IEEE's rules 1 / 0 would be infinite and not an error.
                "ieee_floating_point_ops": "false",
            },
        )
        self._restrict_files(self.databases, self.stages, folder / "spill")
        self._duck.execute("SET GLOBAL TimeZone = 'UTC'")
        self._attach(GLOBAL_DATABASE_NAME)
        self._duck.execute(info_schema.fs_global_creation_sql())
        self._duck.execute(show.fs_global_creation_sql())
        # For sessions without a current database.
        self._duck.execute(macros.creation_sql("memory"))
        for path in sorted(self.databases.glob("*.db")):
            if path.stem != GLOBAL_DATABASE_NAME:
                self._attach(path.stem)
                self._prepare(self._duck, path.stem)
        for start in layer.on_start:
            start(self)
        self.handlers = HandlerEnvironment(folder / "handlers", self.stages)
        self.routines = RoutineCatalog(self.connect())
        self.functions = FunctionWorkers(self.connect(), self.handlers, self.routines.all())
        for name in DATABASES:
            if not self.has_database(name):
                self.create_database(name)

    def connect(self) -> DuckDBPyConnection:
        """Open a connection with its own transaction, current schema and temporary tables."""
        return self._duck.cursor()

    def has_database(self, name: str) -> bool:
        """Whether the database exists."""
        sql = "SELECT 1 FROM duckdb_databases() WHERE database_name = ? AND NOT internal"
        with self.connect() as duck:
            return duck.execute(sql, [name]).fetchone() is not None

    def has_schema(self, database: str, schema: str) -> bool:
        """Whether the schema exists."""
        sql = "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?"
        with self.connect() as duck:
            return duck.execute(sql, [database, schema]).fetchone() is not None

    def create_database(self, name: str) -> None:
        """Create a database with the schema PUBLIC.

        Raises:
            SqlError: The name cannot be a file's name.
        """
        if not self._can_be_database(name):
            raise SqlError(
                f"{name!r} cannot be the name of a database here: at most {LONGEST_NAME} letters of"
                " ASCII, digits, _ and $, no digit first, and no word that SQL reserves.",
                1008,
                "22023",
            )
        self._attach(name)
        try:
            with self.connect() as duck:
                duck.execute(info_schema.per_db_creation_sql(name))
                duck.execute(macros.creation_sql(name))
                self._prepare(duck, name)
                duck.execute(f"CREATE SCHEMA IF NOT EXISTS {sql_identifier(name, 'PUBLIC')}")
        except BaseException:
            self.drop_database(name)
            raise

    def _can_be_database(self, name: str) -> bool:
        """Whether a name can be that of a file, and stand in fakesnow's SQL without quotes."""
        if not _NAME.fullmatch(name) or name == GLOBAL_DATABASE_NAME:
            return False
        sql = (
            "SELECT 1 FROM duckdb_keywords() "
            "WHERE keyword_name = lower(?) AND keyword_category = 'reserved'"
        )
        with self.connect() as duck:
            return duck.execute(sql, [name]).fetchone() is None

    def drop_database(self, name: str) -> None:
        """Delete a database with its file, its stages and its entries in the catalog."""
        self.drop_routines(name)
        with self.connect() as duck:
            duck.execute(f"DETACH DATABASE {sql_identifier(name)}")
            for table, column in (
                ("_fs_stages", "database_name"),
                ("_stage_formats", "database_name"),
                ("_fs_file_formats", "database_name"),
                ("_fs_tables_ext", "ext_table_catalog"),
                ("_fs_columns_ext", "ext_table_catalog"),
            ):
                duck.execute(
                    f"DELETE FROM {GLOBAL_DATABASE_NAME}._fs_information_schema.{table} "  # noqa: S608 - constants
                    f"WHERE {column} = ?",
                    [name],
                )
        for suffix in (".db", ".db.wal"):
            (self.databases / f"{name}{suffix}").unlink(missing_ok=True)
        shutil.rmtree(self.stages / name, ignore_errors=True)

    def drop_routines(self, database: str, schema: str | None = None) -> None:
        """Drop the procedures and functions of a database or schema."""
        for routine in self.routines.drop_within(database, schema):
            self.functions.drop(routine)

    def close(self) -> None:
        """Write all data into the database files and close them."""
        self.handlers.close()
        with self.connect() as duck:
            names = duck.execute(
                "SELECT database_name FROM duckdb_databases() "
                "WHERE NOT internal AND path IS NOT NULL"
            ).fetchall()
            for (name,) in names:
                duck.execute(f"FORCE CHECKPOINT {sql_identifier(name)}")
        self._duck.close()

    def _restrict_files(self, *folders: Path) -> None:
        """Keep SQL from the network and from all files outside these folders.

        DuckDB's functions (read_text, read_csv, a file's name in place of a table's) would read any
        file that this user may read, which no statement of Snowflake can. DuckDB lets no statement
        undo this.
        """
        paths = [str(folder.resolve()) for folder in folders]
        self._duck.execute(f"SET GLOBAL allowed_directories = {sql_literal(paths)}")
        self._duck.execute("SET GLOBAL enable_external_access = false")

    def _prepare(self, duck: DuckDBPyConnection, database: str) -> None:
        for prepare in self._layer.on_open_database:
            prepare(duck, database)

    def _attach(self, name: str) -> None:
        path = str(self.databases / f"{name}.db")
        self._duck.execute(f"ATTACH {sql_literal(path)} AS {sql_identifier(name)}")


def use_stage_folder(folder: Path) -> None:
    """Keep the files of stages in `folder`.

    fakesnow creates a folder among the system's temporary files when it is imported, has no setting
    for it, and reads this variable wherever it needs the folder.
    """
    unused = Path(stage.LOCAL_BUCKET_PATH)
    stage.LOCAL_BUCKET_PATH = str(folder)
    if unused != folder and unused.name.startswith("fakesnow_bucket_"):
        unused.rmdir()

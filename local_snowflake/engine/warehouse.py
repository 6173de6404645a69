"""The DuckDB files behind the warehouse."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection
from fakesnow import info_schema, macros
from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.transforms import show, stage

from local_snowflake.engine.recent_results import RecentResults
from local_snowflake.engine.table_locks import TableLocks
from local_snowflake.inspection import information_schema
from local_snowflake.objects import account, relation_times
from local_snowflake.routines import catalog as routine_catalog
from local_snowflake.routines.catalog import RoutineCatalog
from local_snowflake.routines.handlers.environment import HandlerEnvironment
from local_snowflake.routines.handlers.guests import Guests
from local_snowflake.routines.workers import FunctionWorkers
from local_snowflake.sql.errors import SqlError
from local_snowflake.sql.quoting import literal
from local_snowflake.stages import stages as stage_catalog
from local_snowflake.stages.copy import history as load_history

DATABASES = ("RAW", "ANALYTICS", "ML")
_NAME = re.compile(r"[A-Za-z0-9_$]+")


class Warehouse:
    """One DuckDB instance with a file per Snowflake database.

    Takes the place of fakesnow's `FakeSnow`, which keeps what it knows of stages, file formats,
    comments and text lengths in memory: here that is a file too, so that it outlives the process.

    Args:
        folder: Where the files are; one process at a time may use it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.databases = folder / "databases"
        self.stages = folder / "stages"
        for path in (self.databases, self.stages):
            path.mkdir(parents=True, exist_ok=True)
        use_stage_folder(self.stages)
        self.results = RecentResults()
        self.locks = TableLocks()
        # The lambda syntax is the one that sqlglot writes. Without a temp_directory DuckDB spills
        # into the current folder.
        self._duck = duckdb.connect(
            ":memory:",
            config={
                "lambda_syntax": "ENABLE_SINGLE_ARROW",
                "temp_directory": str(folder / "spill"),
                # With IEEE's rules 1 / 0 would be infinite and not an error.
                "ieee_floating_point_ops": "false",
            },
        )
        self._keep_inside(self.databases, self.stages, folder / "spill")
        self._duck.execute("SET GLOBAL TimeZone = 'UTC'")
        self._attach(GLOBAL_DATABASE_NAME)
        self._duck.execute(info_schema.fs_global_creation_sql())
        self._duck.execute(show.fs_global_creation_sql())
        self._duck.execute(information_schema.creation_sql())
        self._duck.execute(stage_catalog.creation_sql())
        self._duck.execute(account.creation_sql())
        self._duck.execute(routine_catalog.creation_sql())
        # For sessions without a current database.
        self._duck.execute(macros.creation_sql("memory"))
        for path in sorted(self.databases.glob("*.db")):
            if path.stem != GLOBAL_DATABASE_NAME:
                self._attach(path.stem)
                self._duck.execute(load_history.creation_sql(path.stem))
                relation_times.prepare(self._duck, path.stem)
        stage_catalog.tidy(self._duck, self.stages)
        self.guests = Guests()
        self.handlers = HandlerEnvironment(folder / "handlers", self.stages)
        self.routines = RoutineCatalog(self.connect())
        self.functions = FunctionWorkers(self.connect(), self.handlers, self.routines.all())
        for name in DATABASES:
            if not self.has_database(name):
                self.create_database(name)

    def connect(self) -> DuckDBPyConnection:
        """A connection of its own: own transaction, own current schema, own temporary tables."""
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
        if not _NAME.fullmatch(name) or name == GLOBAL_DATABASE_NAME:
            raise SqlError(f"{name!r} cannot be the name of a database here.", 1008, "22023")
        self._attach(name)
        with self.connect() as duck:
            duck.execute(info_schema.per_db_creation_sql(name))
            duck.execute(macros.creation_sql(name))
            duck.execute(load_history.creation_sql(name))
            relation_times.prepare(duck, name)
            duck.execute(f'CREATE SCHEMA IF NOT EXISTS "{name}".PUBLIC')

    def drop_database(self, name: str) -> None:
        """Delete a database with its file, its stages and what is known of its objects."""
        self.drop_routines(name)
        with self.connect() as duck:
            duck.execute(f'DETACH DATABASE "{name}"')
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
        """Forget the procedures and functions of a database or schema."""
        for routine in self.routines.drop_within(database, schema):
            self.functions.forget(routine)

    def close(self) -> None:
        """Write everything into the database files and close them."""
        self.handlers.close()
        with self.connect() as duck:
            names = duck.execute(
                "SELECT database_name FROM duckdb_databases() "
                "WHERE NOT internal AND path IS NOT NULL"
            ).fetchall()
            for (name,) in names:
                duck.execute(f'FORCE CHECKPOINT "{name}"')
        self._duck.close()

    def _keep_inside(self, *folders: Path) -> None:
        """Close the file system and the network to SQL, other than these folders.

        DuckDB's functions (read_text, read_csv, a file's name in place of a table's) would read
        whatever this user may read, which no statement of Snowflake can. DuckDB does not let a
        statement open it again.
        """
        paths = [str(folder.resolve()) for folder in folders]
        self._duck.execute(f"SET GLOBAL allowed_directories = {literal(paths)}")
        self._duck.execute("SET GLOBAL enable_external_access = false")

    def _attach(self, name: str) -> None:
        path = str(self.databases / f"{name}.db").replace("'", "''")
        self._duck.execute(f"ATTACH '{path}' AS \"{name}\"")


def use_stage_folder(folder: Path) -> None:
    """Keep the files of stages in `folder`.

    fakesnow takes a new folder in the system's temporary one when it is imported, has no setting
    for it, and reads this variable wherever it needs the folder.
    """
    unused = Path(stage.LOCAL_BUCKET_PATH)
    stage.LOCAL_BUCKET_PATH = str(folder)
    if unused != folder and unused.name.startswith("fakesnow_bucket_"):
        unused.rmdir()

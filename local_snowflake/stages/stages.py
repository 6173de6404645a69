"""CREATE STAGE, and the files that stages leave behind.

What fakesnow lacks: temporary stages, which end with the session; names given by IDENTIFIER(?); the
file format of a stage. Stages are stored in fakesnow's catalog, where SHOW STAGES finds
them.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from local_snowflake.engine.context import StatementContext, WarehouseAccess
from local_snowflake.engine.results import StatementResult
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import SqlError, unsupported
from local_snowflake.sql.names import Name
from local_snowflake.sql.options import Options
from local_snowflake.sql.statements import Statement
from local_snowflake.stages.locations import USER_STAGE, StageLocation, folder_of, stage_folder
from local_snowflake.stages.named_formats import format_of
from local_snowflake.stages.named_objects import BY_NAME, CATALOG, NamedKind, create, read_creation

# Sling uploads to a stage of this name and never deletes the files that it loaded.
_TRANSFER_STAGE = "SLING_STAGING"


def _drop_stage(session: StatementContext, name: Name) -> None:
    """Delete a stage and its files, if it exists."""
    for table in ("_fs_stages", "_stage_formats"):
        session.duck.execute(f"DELETE FROM {CATALOG}.{table} WHERE {BY_NAME}", [*name])  # noqa: S608 - constants
    shutil.rmtree(folder_of(name, session), ignore_errors=True)


STAGE = NamedKind(("STAGE",), "Stage", f"{CATALOG}._fs_stages", _drop_stage)


def open_stages(warehouse: WarehouseAccess) -> None:
    """Complete fakesnow's catalog of stages, and delete what earlier sessions have left behind.

    These are the temporary stages of sessions whose server was killed, the files of stages and
    tables that no longer exist, and uploaded files that their client never deletes and that would
    fill the disk.
    """
    with warehouse.connect() as duck:
        duck.execute(
            f"CREATE TABLE IF NOT EXISTS {CATALOG}._stage_formats "
            "(database_name VARCHAR, schema_name VARCHAR, name VARCHAR, options VARCHAR)"
        )
        _delete_leftovers(duck, warehouse.stages)


def _delete_leftovers(duck: DuckDBPyConnection, folder: Path) -> None:
    duck.execute(f"DELETE FROM {CATALOG}._fs_stages WHERE type = 'INTERNAL TEMPORARY'")  # noqa: S608 - a constant
    known = duck.execute(
        f"SELECT database_name, schema_name, name FROM {CATALOG}._fs_stages "  # noqa: S608 - a constant
        "UNION ALL SELECT database_name, schema_name, '%' || table_name FROM duckdb_tables()"
    ).fetchall()
    kept = {stage_folder(Name(*parts), folder) for parts in known if parts[2] != _TRANSFER_STAGE}
    for path in folder.glob("*/*/*"):
        if path not in kept and path.relative_to(folder).parts[0] != USER_STAGE:
            shutil.rmtree(path)
    for path in sorted(folder.glob("*/*/*/**/"), reverse=True):
        if not any(path.iterdir()):
            path.rmdir()


def delete_table_stage(table: Name, session: StatementContext) -> None:
    """Delete the files in a table's own stage."""
    shutil.rmtree(folder_of(table._replace(name=f"%{table.name}"), session), ignore_errors=True)


class CreateStage:
    """CREATE [OR REPLACE] [TEMPORARY] STAGE [IF NOT EXISTS]."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement creates a stage."""
        return statement.label == "CREATE STAGE"

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Record the stage; its folder is created with the first file.

        Raises:
            SqlError: It exists, or is outside of the warehouse.
        """
        creation = read_creation(STAGE, session, statement, bindings)
        name, options = creation.name, creation.options
        if name.name.startswith("%"):
            raise SqlError(
                "A stage's name cannot begin with % here: @% is the stage of a table.",
                1008,
                "22023",
            )
        if "URL" in options:
            raise unsupported("A stage outside of the warehouse (URL)")
        form = options.get("FILE_FORMAT")
        comment = options.text("COMMENT", "")
        options.accept_any("ENCRYPTION", "DIRECTORY")
        options.expect_all_read("CREATE STAGE")
        if form is not None:
            form = form if isinstance(form, Options) else Options({"FORMAT_NAME": form})
            format_of(session, Options(form.as_dict()))
        kind = "INTERNAL TEMPORARY" if creation.temporary else "INTERNAL"

        def record() -> None:
            if form is not None:
                session.duck.execute(
                    f"INSERT INTO {CATALOG}._stage_formats VALUES (?, ?, ?, ?)",  # noqa: S608 - a constant
                    [*name, json.dumps(form.as_dict())],
                )
            session.duck.execute(
                f"INSERT INTO {STAGE.table} (created_on, database_name, schema_name, name, "  # noqa: S608 - a constant
                "url, has_credentials, has_encryption_key, owner, comment, type, "
                "owner_role_type, directory_enabled) VALUES "
                "(?, ?, ?, ?, '', 'N', 'N', 'SYSADMIN', ?, ?, 'ROLE', 'N')",
                [datetime.now(UTC), *name, comment, kind],
            )

        message = f"Stage area {name.name} successfully created."
        return create(STAGE, session, creation, record, message)


def drop_schema_stages(session: StatementContext, database: str, schema: str) -> None:
    """Drop all but tables in a schema that was dropped: stages, file formats and procedures."""
    for table in ("_fs_stages", "_stage_formats", "_fs_file_formats"):
        session.duck.execute(
            f"DELETE FROM {CATALOG}.{table} WHERE database_name = ? AND schema_name = ?",  # noqa: S608 - constants
            [database, schema],
        )
    session.warehouse.drop_routines(database, schema)
    folder = stage_folder(Name(database, schema, ""), session.warehouse.stages)
    shutil.rmtree(folder, ignore_errors=True)


def format_options(session: StatementContext, location: StageLocation) -> dict[str, Any] | None:
    """Return the options of the file format of a location's stage, if it has one."""
    if location.stage is None:
        return None
    sql = f"SELECT options FROM {CATALOG}._stage_formats WHERE {BY_NAME}"  # noqa: S608 - constants
    row = session.duck.execute(sql, [*location.stage]).fetchone()
    return None if row is None else dict(json.loads(row[0]))

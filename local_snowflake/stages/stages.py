"""CREATE and DROP STAGE.

What fakesnow lacks: temporary stages, which end with the session; names given by IDENTIFIER(?); the
file format of a stage; DROP STAGE. Stages are stored in fakesnow's catalog, where SHOW STAGES finds
them.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection
from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.statement_type import DDL

from local_snowflake.engine.context import StatementContext, WarehouseAccess
from local_snowflake.engine.results import StatementResult, already_exists_result, status_result
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import does_not_exist, unsupported
from local_snowflake.sql.lexer import Reader
from local_snowflake.sql.names import Name, read_name
from local_snowflake.sql.options import Options, read_create_modifiers, read_options
from local_snowflake.sql.statements import Statement
from local_snowflake.stages.locations import USER_STAGE, StageLocation, folder_of, stage_folder
from local_snowflake.stages.named_formats import format_of

_CATALOG = f"{GLOBAL_DATABASE_NAME}._fs_information_schema"
_BY_NAME = "database_name = ? AND schema_name = ? AND name = ?"
# Sling uploads to a stage of this name and never deletes the files that it loaded.
_TRANSFER_STAGE = "SLING_STAGING"


def open_stages(warehouse: WarehouseAccess) -> None:
    """Complete fakesnow's catalog of stages, and delete what earlier sessions have left behind.

    These are the temporary stages of sessions whose server was killed, the files of stages and
    tables that no longer exist, and uploaded files that their client never deletes and that would
    fill the disk.
    """
    with warehouse.connect() as duck:
        duck.execute(
            f"CREATE TABLE IF NOT EXISTS {_CATALOG}._stage_formats "
            "(database_name VARCHAR, schema_name VARCHAR, name VARCHAR, options VARCHAR)"
        )
        _delete_leftovers(duck, warehouse.stages)


def _delete_leftovers(duck: DuckDBPyConnection, folder: Path) -> None:
    duck.execute(f"DELETE FROM {_CATALOG}._fs_stages WHERE type = 'INTERNAL TEMPORARY'")  # noqa: S608 - a constant
    known = duck.execute(
        f"SELECT database_name, schema_name, name FROM {_CATALOG}._fs_stages "  # noqa: S608 - a constant
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
        reader = Reader(statement.sql, bindings)
        reader.expect("CREATE")
        replace, temporary = read_create_modifiers(reader)
        reader.expect("STAGE")
        if_not_exists = reader.accept("IF", "NOT", "EXISTS")
        name = read_name(reader, session)
        options = read_options(reader)
        reader.expect_end()
        if "URL" in options:
            raise unsupported("A stage outside of the warehouse (URL)")
        form = options.get("FILE_FORMAT")
        comment = options.text("COMMENT", "")
        options.accept_any("ENCRYPTION", "DIRECTORY")
        options.expect_all_read("CREATE STAGE")
        if form is not None:
            form = form if isinstance(form, Options) else Options({"FORMAT_NAME": form})
            format_of(session, Options(form.as_dict()))

        if _exists(session, name):
            if not replace:
                return already_exists_result(name.name, if_not_exists=if_not_exists)
            drop_stage(session, name)
        kind = "INTERNAL TEMPORARY" if temporary else "INTERNAL"
        if form is not None:
            session.duck.execute(
                f"INSERT INTO {_CATALOG}._stage_formats VALUES (?, ?, ?, ?)",  # noqa: S608 - a constant
                [*name, json.dumps(form.as_dict())],
            )
        try:
            session.duck.execute(
                f"INSERT INTO {_CATALOG}._fs_stages (created_on, name, database_name, "  # noqa: S608 - a constant
                "schema_name, url, has_credentials, has_encryption_key, owner, comment, type, "
                "owner_role_type, directory_enabled) VALUES "
                "(?, ?, ?, ?, '', 'N', 'N', 'SYSADMIN', ?, ?, 'ROLE', 'N')",
                [datetime.now(UTC), name.name, name.database, name.schema, comment, kind],
            )
        except duckdb.ConstraintException:  # another session has created it meanwhile
            return already_exists_result(name.name, if_not_exists=if_not_exists)
        if temporary:
            session.cleanups.append(lambda: drop_stage(session, name))
        return status_result(f"Stage area {name.name} successfully created.", DDL)


class DropStage:
    """DROP STAGE [IF EXISTS]."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement drops a stage."""
        return statement.label == "DROP STAGE"

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Delete the stage and its files.

        Raises:
            SqlError: It does not exist.
        """
        reader = Reader(statement.sql, bindings)
        reader.expect("DROP", "STAGE")
        if_exists = reader.accept("IF", "EXISTS")
        name = read_name(reader, session)
        reader.expect_end()
        if not _exists(session, name):
            if not if_exists:
                raise does_not_exist("Stage", name)
            message = f"Drop statement executed successfully ({name.name} already dropped)."
            return status_result(message, DDL)
        drop_stage(session, name)
        return status_result(f"{name.name} successfully dropped.", DDL)


def drop_stage(session: StatementContext, name: Name) -> None:
    """Delete a stage and its files, if it exists."""
    for table in ("_fs_stages", "_stage_formats"):
        session.duck.execute(f"DELETE FROM {_CATALOG}.{table} WHERE {_BY_NAME}", [*name])  # noqa: S608 - constants
    shutil.rmtree(folder_of(name, session), ignore_errors=True)


def drop_schema_stages(session: StatementContext, database: str, schema: str) -> None:
    """Drop all but tables in a schema that was dropped: stages, file formats and procedures."""
    for table in ("_fs_stages", "_stage_formats", "_fs_file_formats"):
        session.duck.execute(
            f"DELETE FROM {_CATALOG}.{table} WHERE database_name = ? AND schema_name = ?",  # noqa: S608 - constants
            [database, schema],
        )
    session.warehouse.drop_routines(database, schema)
    folder = stage_folder(Name(database, schema, ""), session.warehouse.stages)
    shutil.rmtree(folder, ignore_errors=True)


def format_options(session: StatementContext, location: StageLocation) -> dict[str, Any] | None:
    """Return the options of the file format of a location's stage, if it has one."""
    if location.stage is None:
        return None
    sql = f"SELECT options FROM {_CATALOG}._stage_formats WHERE {_BY_NAME}"  # noqa: S608 - constants
    row = session.duck.execute(sql, [*location.stage]).fetchone()
    return None if row is None else dict(json.loads(row[0]))


def _exists(session: StatementContext, name: Name) -> bool:
    sql = f"SELECT 1 FROM {_CATALOG}._fs_stages WHERE {_BY_NAME}"  # noqa: S608 - constants
    return session.duck.execute(sql, [*name]).fetchone() is not None

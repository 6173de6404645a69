"""CREATE and DROP FILE FORMAT, and the file format that a statement uses.

What fakesnow lacks: temporary formats, names given by IDENTIFIER(?), and formats of stages. The
options are stored as they are written, in fakesnow's catalog, where SHOW FILE FORMATS finds them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import duckdb
from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.statement_type import DDL

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult, already_exists_result, status_result
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import does_not_exist, syntax_error
from local_snowflake.sql.lexer import Reader
from local_snowflake.sql.names import Name, parse_name, read_name
from local_snowflake.sql.options import Options, read_create_modifiers, read_options
from local_snowflake.sql.statements import Statement
from local_snowflake.stages.readers.formats import FileFormat, read_format

_TABLE = f"{GLOBAL_DATABASE_NAME}._fs_information_schema._fs_file_formats"
_BY_NAME = "database_name = ? AND schema_name = ? AND name = ?"


class CreateFileFormat:
    """CREATE [OR REPLACE] [TEMPORARY] FILE FORMAT [IF NOT EXISTS]."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement creates a file format."""
        return statement.label == "CREATE FILE"

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Store its options.

        Raises:
            SqlError: It exists, or an option is unknown.
        """
        reader = Reader(statement.sql, bindings)
        reader.expect("CREATE")
        replace, temporary = read_create_modifiers(reader)
        reader.expect("FILE", "FORMAT")
        if_not_exists = reader.accept("IF", "NOT", "EXISTS")
        name = read_name(reader, session)
        options = read_options(reader)
        reader.expect_end()
        read_format(Options(options.as_dict()))

        if _find(session, name) is not None:
            if not replace:
                return already_exists_result(name.name, if_not_exists=if_not_exists)
            drop_file_format(session, name)
        kind, comment = str(options.text("TYPE", "CSV")).upper(), options.text("COMMENT", "")
        try:
            session.duck.execute(
                f"INSERT INTO {_TABLE} (created_on, name, database_name, schema_name, type, "  # noqa: S608 - a constant
                "options, comment) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    datetime.now(UTC), name.name, name.database, name.schema, kind,
                    json.dumps(options.as_dict()), comment,
                ],
            )  # fmt: skip
        except duckdb.ConstraintException:  # another session has created it meanwhile
            return already_exists_result(name.name, if_not_exists=if_not_exists)
        if temporary:
            session.cleanups.append(lambda: drop_file_format(session, name))
        return status_result(f"File format {name.name} successfully created.", DDL)


class DropFileFormat:
    """DROP FILE FORMAT [IF EXISTS]."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement drops a file format."""
        return statement.label == "DROP FILE"

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Delete it.

        Raises:
            SqlError: It does not exist.
        """
        reader = Reader(statement.sql, bindings)
        reader.expect("DROP", "FILE", "FORMAT")
        if_exists = reader.accept("IF", "EXISTS")
        name = read_name(reader, session)
        reader.expect_end()
        if _find(session, name) is None and not if_exists:
            raise does_not_exist("File format", name)
        drop_file_format(session, name)
        return status_result(f"{name.name} successfully dropped.", DDL)


def drop_file_format(session: StatementContext, name: Name) -> None:
    """Delete a file format, if it exists."""
    session.duck.execute(f"DELETE FROM {_TABLE} WHERE {_BY_NAME}", [*name])  # noqa: S608 - constants


def format_named(session: StatementContext, text: str) -> FileFormat:
    """Return the file format of that name.

    Raises:
        SqlError: It does not exist.
    """
    return read_format(Options(_options_named(session, text)))


def format_of(
    session: StatementContext, value: Any, stage_options: dict[str, Any] | None = None
) -> FileFormat:
    """Return the format of FILE_FORMAT, else that of the stage, else CSV with all defaults.

    Options of several places are not combined, except that options beside FORMAT_NAME override
    those of the named format.

    Args:
        session: The session whose current schema completes names.
        value: The option FILE_FORMAT of the statement.
        stage_options: The options of the stage's file format.

    Raises:
        SqlError: The named format does not exist, or an option is unknown.
    """
    if value is None:
        return (
            format_of(session, Options(stage_options), None)
            if stage_options
            else read_format(Options())
        )
    if isinstance(value, str):
        return format_named(session, value)
    if not isinstance(value, Options):
        raise syntax_error(f"{value!r} is no file format")
    name = value.text("FORMAT_NAME")
    if name is None:
        return read_format(value)
    own = {key: option for key, option in value.as_dict().items() if key != "FORMAT_NAME"}
    return read_format(Options(_options_named(session, name) | own))


def _options_named(session: StatementContext, text: str) -> dict[str, Any]:
    name = parse_name(text, session)
    options = _find(session, name)
    if options is None:
        raise does_not_exist("File format", name)
    return options


def _find(session: StatementContext, name: Name) -> dict[str, Any] | None:
    row = session.duck.execute(f"SELECT options FROM {_TABLE} WHERE {_BY_NAME}", [*name]).fetchone()  # noqa: S608 - constants
    return None if row is None else dict(json.loads(row[0]))

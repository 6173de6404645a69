"""CREATE FILE FORMAT, and the file format that a statement uses.

What fakesnow lacks: temporary formats, names given by IDENTIFIER(?), and formats of stages. The
options are stored as they are written, in fakesnow's catalog, where SHOW FILE FORMATS finds them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import does_not_exist, syntax_error
from local_snowflake.sql.names import Name, parse_name
from local_snowflake.sql.options import Options
from local_snowflake.sql.statements import Statement
from local_snowflake.stages.named_objects import BY_NAME, CATALOG, NamedKind, create, read_creation
from local_snowflake.stages.readers.formats import FileFormat, read_format

_TABLE = f"{CATALOG}._fs_file_formats"


def _drop_file_format(session: StatementContext, name: Name) -> None:
    session.duck.execute(f"DELETE FROM {_TABLE} WHERE {BY_NAME}", [*name])  # noqa: S608 - constants


FILE_FORMAT = NamedKind(("FILE", "FORMAT"), "File format", _TABLE, _drop_file_format)


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
        creation = read_creation(FILE_FORMAT, session, statement, bindings)
        name, options = creation.name, creation.options
        read_format(Options(options.as_dict()))
        kind, comment = str(options.text("TYPE", "CSV")).upper(), options.text("COMMENT", "")
        values = [datetime.now(UTC), *name, kind, json.dumps(options.as_dict()), comment]
        insert = (
            f"INSERT INTO {FILE_FORMAT.table} (created_on, database_name, schema_name, name, type, "  # noqa: S608 - a constant
            "options, comment) VALUES (?, ?, ?, ?, ?, ?, ?)"
        )
        return create(
            FILE_FORMAT,
            session,
            creation,
            lambda: session.duck.execute(insert, values),
            f"File format {name.name} successfully created.",
        )


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
    row = session.duck.execute(f"SELECT options FROM {_TABLE} WHERE {BY_NAME}", [*name]).fetchone()  # noqa: S608 - constants
    return None if row is None else dict(json.loads(row[0]))

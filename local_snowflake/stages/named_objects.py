"""CREATE and DROP of what has a name in a schema and is in fakesnow's catalog.

These are stages and file formats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.statement_type import DDL

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult, already_exists_result, status_result
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import does_not_exist
from local_snowflake.sql.lexer import Reader
from local_snowflake.sql.names import Name, read_name
from local_snowflake.sql.options import Options, read_create_modifiers, read_options
from local_snowflake.sql.statements import Statement

CATALOG = f"{GLOBAL_DATABASE_NAME}._fs_information_schema"
BY_NAME = "database_name = ? AND schema_name = ? AND name = ?"


@dataclass(frozen=True)
class NamedKind:
    """A kind of objects.

    Attributes:
        words: The kind in statements.
        title: The kind in messages.
        table: The table that records them.
        drop: Deletes one and what belongs to it, if it exists.
    """

    words: tuple[str, ...]
    title: str
    table: str
    drop: Callable[[StatementContext, Name], None]

    def has(self, session: StatementContext, name: Name) -> bool:
        """Whether an object of that name exists."""
        sql = f"SELECT 1 FROM {self.table} WHERE {BY_NAME}"  # noqa: S608 - constants
        return session.duck.execute(sql, [*name]).fetchone() is not None


@dataclass(frozen=True)
class Creation:
    """What a CREATE says.

    Attributes:
        name: The name of the object.
        options: Its options, not yet read.
        replaces: Whether it replaces one of that name.
        temporary: Whether it ends with the session.
        if_not_exists: Whether it is no error that one of that name exists.
    """

    name: Name
    options: Options
    replaces: bool
    temporary: bool
    if_not_exists: bool


def read_creation(
    kind: NamedKind, session: StatementContext, statement: Statement, bindings: Bindings
) -> Creation:
    """Read CREATE [OR REPLACE] [TEMPORARY] kind [IF NOT EXISTS] name options."""
    reader = Reader(statement.sql, bindings)
    reader.expect("CREATE")
    replaces, temporary = read_create_modifiers(reader)
    reader.expect(*kind.words)
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = read_name(reader, session)
    options = read_options(reader)
    reader.expect_end()
    return Creation(name, options, replaces, temporary, if_not_exists)


def create(
    kind: NamedKind,
    session: StatementContext,
    creation: Creation,
    record: Callable[[], object],
    message: str,
) -> StatementResult:
    """Create an object, or do what the statement says if there is one.

    Args:
        kind: Its kind.
        session: The session that creates it.
        creation: What the statement says.
        record: Writes it into the catalog.
        message: The status if it was created.

    Raises:
        SqlError: It exists.
    """
    name = creation.name
    if kind.has(session, name):
        if not creation.replaces:
            return already_exists_result(name.name, if_not_exists=creation.if_not_exists)
        kind.drop(session, name)
    try:
        record()
    except duckdb.ConstraintException:  # another session has created it meanwhile
        return already_exists_result(name.name, if_not_exists=creation.if_not_exists)
    if creation.temporary:
        session.cleanups.append(lambda: kind.drop(session, name))
    return status_result(message, DDL)


class DropNamed:
    """DROP kind [IF EXISTS] name.

    Args:
        kind: The kind of objects.
    """

    def __init__(self, kind: NamedKind) -> None:
        self._kind = kind

    def matches(self, statement: Statement) -> bool:
        """Whether the statement drops an object of the kind."""
        return statement.label == f"DROP {self._kind.words[0]}"

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Delete it.

        Raises:
            SqlError: It does not exist.
        """
        reader = Reader(statement.sql, bindings)
        reader.expect("DROP", *self._kind.words)
        if_exists = reader.accept("IF", "EXISTS")
        name = read_name(reader, session)
        reader.expect_end()
        if not self._kind.has(session, name):
            if not if_exists:
                raise does_not_exist(self._kind.title, name)
            message = f"Drop statement executed successfully ({name.name} already dropped)."
            return status_result(message, DDL)
        self._kind.drop(session, name)
        return status_result(f"{name.name} successfully dropped.", DDL)

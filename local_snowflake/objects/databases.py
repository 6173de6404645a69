"""CREATE, DROP and USE of databases and schemas.

What fakesnow lacks: a new database has no schema PUBLIC and does not become the current one, and
the file of a dropped database stays, so that the database would be back after a restart. USE
DATABASE leaves the session without a schema, where Snowflake takes PUBLIC. Of schemas it lacks the
options of CREATE SCHEMA (WITH MANAGED ACCESS, COMMENT, TRANSIENT), names with dots and quotes, USE
without the word SCHEMA or DATABASE, and the error for CLONE; temporary objects stay when their
schema is dropped, and a CREATE SCHEMA that fails leaves the schema behind.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import duckdb
from fakesnow.expr import normalise_ident
from fakesnow.statement_type import USE
from sqlglot import exp

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import (
    StatementResult,
    already_exists_result,
    status_result,
)
from local_snowflake.objects.temporary import stored_name
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import (
    SqlError,
    does_not_exist,
    syntax_error,
    unsupported,
)
from local_snowflake.sql.lexer import Reader
from local_snowflake.sql.names import complete_name, read_parts, stored_identifier
from local_snowflake.sql.options import read_options
from local_snowflake.sql.quoting import sql_identifier
from local_snowflake.sql.statements import Statement
from local_snowflake.stages.stages import drop_schema_stages

_MODIFIERS = {"OR", "REPLACE", "TRANSIENT", "IF", "NOT", "EXISTS"}
_BUILT_IN = {"INFORMATION_SCHEMA", "MAIN"}
_COPIES = {"AS", "CLONE", "FROM"}
_DAYS = ("DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS")
_WITHOUT_EFFECT = ("COMMENT", "LOG_LEVEL", "METRIC_LEVEL", "TRACE_LEVEL")


class CreateDatabase:
    """CREATE [OR REPLACE] DATABASE [IF NOT EXISTS]: makes it the session's current database."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement creates a database."""
        return _creates(statement, "DATABASE")

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Create the file, the schema PUBLIC and fakesnow's views."""
        creation = _read_creation("DATABASE", statement, bindings)
        if len(creation.parts) > 1:
            raise syntax_error(f"{'.'.join(creation.parts)} has too many parts for a database.")
        (name,) = creation.parts
        warehouse = session.warehouse
        if warehouse.has_database(name):
            if not creation.replaces:
                result = already_exists_result(name, if_not_exists=creation.if_not_exists)
                session.use(name, "PUBLIC")
                return result
            session.leave_database()
            drop_temporary(session, name)
            warehouse.drop_database(name)
        warehouse.create_database(name)
        session.use(name, "PUBLIC")
        return status_result(f"Database {name} successfully created.")


class DropDatabase:
    """DROP DATABASE [IF EXISTS]: deletes its file and its stages."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement drops a database."""
        return statement.is_of_kind(exp.Drop, "DATABASE")

    def run(
        self,
        session: StatementContext,
        statement: Statement,
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """Detach the database and delete its files."""
        expression = cast(exp.Drop, statement.expression)
        name = _database_name(expression)
        if session.warehouse.has_database(name):
            if session.database == name:
                session.leave_database()
            drop_temporary(session, name)
            session.warehouse.drop_database(name)
            return status_result(f"{name} successfully dropped.")
        if expression.args.get("exists"):
            return status_result(f"Drop statement executed successfully ({name} already dropped).")
        raise does_not_exist("Database", name)


class UseDatabase:
    """USE DATABASE: its schema PUBLIC becomes the current one, if it exists."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is USE DATABASE."""
        return statement.words[:2] == ["USE", "DATABASE"] and isinstance(
            statement.expression, exp.Use
        )

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Make the database the current one."""
        name = _database_name(cast(exp.Use, statement.expression))
        if not session.warehouse.has_schema(name, "PUBLIC"):
            return session.run_in_fakesnow(statement, bindings)
        session.use(name, "PUBLIC")
        return status_result(type_id=USE)


class CreateSchema:
    """CREATE [OR REPLACE] [TRANSIENT] SCHEMA: makes it the session's current schema."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement creates a schema."""
        return _creates(statement, "SCHEMA")

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Create it, in one transaction with the end of the one that it replaces."""
        creation = _read_creation("SCHEMA", statement, bindings)
        database, schema, _ = complete_name([*creation.parts, ""], session)
        warehouse = session.warehouse
        if not warehouse.has_database(database):
            raise does_not_exist("Database", database)
        if schema.upper() in _BUILT_IN:
            raise SqlError(f"{schema} cannot be the name of a schema here.", 1008, "22023")
        exists = warehouse.has_schema(database, schema)
        if exists and not creation.replaces:
            result = already_exists_result(schema, if_not_exists=creation.if_not_exists)
            session.use(database, schema)
            return result
        name = sql_identifier(database, schema)
        # Another session may create it at the same time.
        clause = "IF NOT EXISTS " if creation.if_not_exists else ""
        session.duck.begin()
        try:
            if exists:
                session.duck.execute(f"DROP SCHEMA {name} CASCADE")
            session.duck.execute(f"CREATE SCHEMA {clause}{name}")
            session.duck.commit()
        except BaseException:
            with suppress(duckdb.Error):  # a failed commit has ended it
                session.duck.rollback()
            raise
        if exists:
            drop_temporary(session, database, schema)
            drop_schema_stages(session, database, schema)
        session.use(database, schema)
        return status_result(f"Schema {schema} successfully created.")


class DropSchema:
    """DROP SCHEMA; it drops the session's temporary objects in it too."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement drops a schema."""
        return statement.words[:2] == ["DROP", "SCHEMA"]

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Drop the schema and what belongs to it."""
        reader = Reader(statement.sql, bindings)
        reader.expect("DROP", "SCHEMA")
        if_exists = reader.accept("IF", "EXISTS")
        database, schema, _ = complete_name([*read_parts(reader), ""], session)
        if reader.accept("RESTRICT"):
            raise unsupported("DROP SCHEMA … RESTRICT")
        reader.accept("CASCADE")
        reader.expect_end()
        if not session.warehouse.has_schema(database, schema):
            if if_exists:
                return status_result(
                    f"Drop statement executed successfully ({schema} already dropped)."
                )
            raise does_not_exist("Schema", f"{database}.{schema}")
        session.duck.execute(f"DROP SCHEMA {sql_identifier(database, schema)} CASCADE")
        drop_temporary(session, database, schema)
        drop_schema_stages(session, database, schema)
        return status_result(f"{schema} successfully dropped.")


class UseSchema:
    """USE SCHEMA."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is USE SCHEMA."""
        return statement.words[:2] == ["USE", "SCHEMA"]

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Make the schema the current one."""
        reader = Reader(statement.sql, bindings)
        reader.expect("USE", "SCHEMA")
        database, schema, _ = complete_name([*read_parts(reader), ""], session)
        reader.expect_end()
        if not session.warehouse.has_schema(database, schema):
            raise _not_there()
        session.use(database, schema)
        return status_result(type_id=USE)


class UsePlain:
    """USE name: a database, or a schema with or without its database."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is USE with nothing but a name."""
        expression = statement.expression
        return isinstance(expression, exp.Use) and expression.args.get("kind") is None

    def run(
        self,
        session: StatementContext,
        statement: Statement,
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """Make it the current database or schema."""
        table = cast(exp.Use, statement.expression).this
        name = stored_identifier(table.this)
        if table.args.get("db"):
            database, schema = stored_identifier(table.args["db"]), name
        elif session.warehouse.has_database(name):
            database, schema = name, "PUBLIC"
        else:
            database, schema = str(session.database), name
        if not session.warehouse.has_schema(database, schema):
            raise _not_there()
        session.use(database, schema)
        return status_result(type_id=USE)


def drop_temporary(session: StatementContext, database: str, schema: str | None = None) -> None:
    """Drop the session's temporary objects in a schema or database that was dropped."""
    for name in session.temporaries.within(database, schema):
        place = stored_name(name)
        kind = session.duck.execute(
            "SELECT 'VIEW' FROM duckdb_views() WHERE view_name = ?", [place.name]
        ).fetchall()
        session.duck.execute(f"DROP {'VIEW' if kind else 'TABLE'} IF EXISTS {place.sql}")
        session.temporaries.discard(name)


@dataclass(frozen=True)
class _Creation:
    """What CREATE DATABASE and CREATE SCHEMA say.

    Attributes:
        parts: The parts of the name, as they are stored.
        replaces: Whether it replaces one of that name.
        if_not_exists: Whether it is no error that one of that name exists.
    """

    parts: list[str]
    replaces: bool
    if_not_exists: bool


def _creates(statement: Statement, kind: str) -> bool:
    words = [word for word in statement.words if word not in _MODIFIERS]
    return words[:2] == ["CREATE", kind]


def _read_creation(kind: str, statement: Statement, bindings: Bindings) -> _Creation:
    """Read the whole statement, so that nothing of it is left out silently.

    Raises:
        SqlError: Something in it is unknown, or would change what the warehouse does.
    """
    label = f"CREATE {kind}"
    reader = Reader(statement.sql, bindings)
    reader.expect("CREATE")
    replaces = reader.accept("OR", "REPLACE")
    reader.accept("TRANSIENT")
    reader.expect(kind)
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    if replaces and if_not_exists:
        raise syntax_error("options IF NOT EXISTS and OR REPLACE are incompatible.")
    parts = read_parts(reader)
    if reader.next.upper in _COPIES:
        raise unsupported(f"{label} … {reader.next.upper}")
    if kind == "SCHEMA":
        reader.accept("WITH", "MANAGED", "ACCESS")
    options = read_options(reader)
    reader.expect_end()
    for name in _DAYS:
        options.number(name, 0)
    options.accept_any(*_WITHOUT_EFFECT)
    options.expect_default("DEFAULT_DDL_COLLATION", "")
    options.expect_all_read(label)
    return _Creation(parts, replaces, if_not_exists)


def _not_there() -> SqlError:
    return SqlError(
        "SQL compilation error:\nObject does not exist, or operation cannot be performed.",
        2043,
        "02000",
    )


def _database_name(expression: exp.Expression) -> str:
    identifier = next(expression.find_all(exp.Identifier))
    return identifier.name if identifier.quoted else normalise_ident(identifier.name)

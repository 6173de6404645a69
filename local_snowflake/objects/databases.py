"""CREATE, DROP and USE of databases and schemas.

What fakesnow lacks: a new database has no schema PUBLIC and does not become the current one, and
the file of a dropped database stays, so that the database would be back after a restart. USE
DATABASE leaves the session without a schema, where Snowflake takes PUBLIC. Of schemas it lacks the
options of CREATE SCHEMA (WITH MANAGED ACCESS, COMMENT, TRANSIENT), USE without the word SCHEMA or
DATABASE, and the error for CLONE; temporary objects stay when their schema is dropped.
"""

from __future__ import annotations

from typing import cast

import sqlglot
from fakesnow.expr import normalise_ident
from fakesnow.statement_type import USE
from sqlglot import TokenType, exp

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult, status_result
from local_snowflake.objects.temporary import stored_name
from local_snowflake.sql.bindings import NO_BINDINGS, Bindings
from local_snowflake.sql.errors import (
    SqlError,
    already_exists,
    does_not_exist,
    syntax_error,
    unsupported,
)
from local_snowflake.sql.lexer import strip_comments
from local_snowflake.sql.names import stored_identifier
from local_snowflake.sql.quoting import sql_identifier
from local_snowflake.sql.statements import Statement
from local_snowflake.stages.stages import drop_schema_stages

_MODIFIERS = {"OR", "REPLACE", "TRANSIENT", "IF", "NOT", "EXISTS"}


class CreateDatabase:
    """CREATE [OR REPLACE] DATABASE [IF NOT EXISTS]: makes it the session's current database."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement creates a database."""
        return statement.is_of_kind(exp.Create, "DATABASE")

    def run(
        self,
        session: StatementContext,
        statement: Statement,
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """Create the file, the schema PUBLIC and fakesnow's views."""
        expression = cast(exp.Create, statement.expression)
        if expression.args.get("clone"):
            raise unsupported("CREATE DATABASE … CLONE")
        name = _database_name(expression)
        warehouse = session.warehouse
        if warehouse.has_database(name):
            if expression.args.get("exists"):
                session.use(name, "PUBLIC")
                return status_result(f"{name} already exists, statement succeeded.")
            if not expression.args.get("replace"):
                raise already_exists(name)
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
    """CREATE [OR REPLACE] [TRANSIENT] SCHEMA [IF NOT EXISTS] with options, which have no effect."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement creates a schema."""
        words = [word for word in statement.words if word not in _MODIFIERS]
        return words[:2] == ["CREATE", "SCHEMA"]

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Create it without its options."""
        tokens = sqlglot.tokenize(strip_comments(statement.sql), read="snowflake")
        words = [token.text.upper() for token in tokens]
        if "CLONE" in words:
            raise unsupported("CREATE SCHEMA … CLONE")
        start = words.index("SCHEMA") + 1
        exists = words[start : start + 3] == ["IF", "NOT", "EXISTS"]
        start += 3 if exists else 0
        end = start + 1
        while end + 1 < len(tokens) and tokens[end].token_type == TokenType.DOT:
            end += 2
        if start >= len(tokens):
            raise syntax_error("CREATE SCHEMA takes a name")
        name = _name_text(tokens[start:end])
        if "REPLACE" in words[:start]:
            session.run_in_fakesnow(Statement(f"DROP SCHEMA IF EXISTS {name}"), NO_BINDINGS)
        clause = "IF NOT EXISTS " if exists else ""
        return session.run_in_fakesnow(Statement(f"CREATE SCHEMA {clause}{name}"), bindings)


class DropSchema:
    """DROP SCHEMA; it drops the session's temporary objects in it too."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement drops a schema."""
        return statement.is_of_kind(exp.Drop, "SCHEMA")

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Drop the schema and what belongs to it."""
        table = cast(exp.Drop, statement.expression).args["tables"][0]
        parts = [stored_identifier(part) for part in table.find_all(exp.Identifier)]
        database = parts[-1] if len(parts) > 1 else session.database
        result = session.run_in_fakesnow(statement, bindings)
        drop_temporary(session, str(database), parts[0])
        drop_schema_stages(session, str(database), parts[0])
        return result


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
            raise SqlError(
                "SQL compilation error:\nObject does not exist, or operation cannot be performed.",
                2043,
                "02000",
            )
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


def _name_text(tokens: list[sqlglot.Token]) -> str:
    """Return the tokens of a name as SQL."""
    return "".join(
        sql_identifier(token.text) if token.token_type == TokenType.IDENTIFIER else token.text
        for token in tokens
    )


def _database_name(expression: exp.Expression) -> str:
    identifier = next(expression.find_all(exp.Identifier))
    return identifier.name if identifier.quoted else normalise_ident(identifier.name)

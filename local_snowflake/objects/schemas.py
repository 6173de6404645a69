"""CREATE, DROP and USE of schemas.

What upstream lacks: options of CREATE SCHEMA (WITH MANAGED ACCESS, COMMENT, TRANSIENT), USE without
the word SCHEMA or DATABASE, and the error for CLONE; temporary objects stay when their schema goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import sqlglot
from fakesnow.statement_type import USE
from sqlglot import TokenType, exp

from local_snowflake.engine.results import StatementResult, status_result
from local_snowflake.objects.temporary import stored_name
from local_snowflake.sql.bindings import NO_BINDINGS, Bindings
from local_snowflake.sql.errors import SqlError, syntax_error, unsupported
from local_snowflake.sql.names import quoted, stored
from local_snowflake.sql.statements import Statement, without_comments
from local_snowflake.stages.stages import forget_schema

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session

_MODIFIERS = {"OR", "REPLACE", "TRANSIENT", "IF", "NOT", "EXISTS"}


class CreateSchema:
    """CREATE [OR REPLACE] [TRANSIENT] SCHEMA [IF NOT EXISTS] with options, which have no effect."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement creates a schema."""
        words = [word for word in statement.words if word not in _MODIFIERS]
        return words[:2] == ["CREATE", "SCHEMA"]

    def run(self, session: Session, statement: Statement, bindings: Bindings) -> StatementResult:
        """Create it without its options."""
        tokens = sqlglot.tokenize(without_comments(statement.sql), read="snowflake")
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
            session.upstream(Statement(f"DROP SCHEMA IF EXISTS {name}"), NO_BINDINGS)
        clause = "IF NOT EXISTS " if exists else ""
        return session.upstream(Statement(f"CREATE SCHEMA {clause}{name}"), bindings)


class DropSchema:
    """DROP SCHEMA, with the session's temporary objects in it."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement drops a schema."""
        expression = statement.expression
        return isinstance(expression, exp.Drop) and str(expression.args["kind"]).upper() == "SCHEMA"

    def run(self, session: Session, statement: Statement, bindings: Bindings) -> StatementResult:
        """Drop it."""
        table = cast(exp.Drop, statement.expression).args["tables"][0]
        parts = [stored(part) for part in table.find_all(exp.Identifier)]
        database = parts[-1] if len(parts) > 1 else session.connection.database
        result = session.upstream(statement, bindings)
        drop_temporary(session, str(database), parts[0])
        forget_schema(session, str(database), parts[0])
        return result


class UsePlain:
    """USE name: a database, or a schema with or without its database."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is USE with nothing but a name."""
        expression = statement.expression
        return isinstance(expression, exp.Use) and expression.args.get("kind") is None

    def run(self, session: Session, statement: Statement, bindings: Bindings) -> StatementResult:  # noqa: ARG002 - the protocol's signature
        """Make it current."""
        table = cast(exp.Use, statement.expression).this
        name = stored(table.this)
        if table.args.get("db"):
            database, schema = stored(table.args["db"]), name
        elif session.warehouse.has_database(name):
            database, schema = name, "PUBLIC"
        else:
            database, schema = str(session.connection.database), name
        if not session.warehouse.has_schema(database, schema):
            raise SqlError(
                "SQL compilation error:\nObject does not exist, or operation cannot be performed.",
                2043,
                "02000",
            )
        session.use(database, schema)
        return status_result(type_id=USE)


def drop_temporary(session: Session, database: str, schema: str | None = None) -> None:
    """Drop the session's temporary objects in a schema or a database that is gone."""
    for name in session.temporaries.within(database, schema):
        place = stored_name(name)
        kind = session.duck.execute(
            "SELECT 'VIEW' FROM duckdb_views() WHERE view_name = ?", [place.name]
        ).fetchall()
        session.duck.execute(f"DROP {'VIEW' if kind else 'TABLE'} IF EXISTS {place.sql}")
        session.temporaries.discard(name)


def _name_text(tokens: list[sqlglot.Token]) -> str:
    """The tokens of a name as text."""
    return "".join(
        quoted(token.text) if token.token_type == TokenType.IDENTIFIER else token.text
        for token in tokens
    )

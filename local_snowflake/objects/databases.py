"""CREATE, DROP and USE DATABASE on files.

What upstream lacks: a new database has no schema PUBLIC and does not become the current one, and
the file of a dropped database stays, so that the database would be back after a restart.
USE DATABASE leaves the session without a schema, where Snowflake takes PUBLIC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from fakesnow.expr import normalise_ident
from fakesnow.statement_type import USE
from sqlglot import exp

from local_snowflake.engine.results import StatementResult, status_result
from local_snowflake.objects.schemas import drop_temporary
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import SqlError, unsupported
from local_snowflake.sql.statements import Statement

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session


class CreateDatabase:
    """CREATE [OR REPLACE] DATABASE [IF NOT EXISTS]: makes it the session's current database."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement creates a database."""
        expression = statement.expression
        return (
            isinstance(expression, exp.Create)
            and str(expression.args.get("kind")).upper() == "DATABASE"
        )

    def run(self, session: Session, statement: Statement, bindings: Bindings) -> StatementResult:  # noqa: ARG002 - the protocol's signature
        """Create the file, the schema PUBLIC and fakesnow's views."""
        expression = cast(exp.Create, statement.expression)
        if expression.args.get("clone"):
            raise unsupported("CREATE DATABASE … CLONE")
        name = _name(expression)
        warehouse = session.warehouse
        if warehouse.has_database(name):
            if expression.args.get("exists"):
                session.use(name, "PUBLIC")
                return status_result(f"{name} already exists, statement succeeded.")
            if not expression.args.get("replace"):
                raise SqlError(
                    f"SQL compilation error:\nObject '{name}' already exists.", 2002, "42710"
                )
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
        expression = statement.expression
        return (
            isinstance(expression, exp.Drop)
            and str(expression.args.get("kind")).upper() == "DATABASE"
        )

    def run(self, session: Session, statement: Statement, bindings: Bindings) -> StatementResult:  # noqa: ARG002 - the protocol's signature
        """Detach the database and delete what belongs to it."""
        expression = cast(exp.Drop, statement.expression)
        name = _name(expression)
        if session.warehouse.has_database(name):
            if session.connection.database == name:
                session.leave_database()
            drop_temporary(session, name)
            session.warehouse.drop_database(name)
            return status_result(f"{name} successfully dropped.")
        if expression.args.get("exists"):
            return status_result(f"Drop statement executed successfully ({name} already dropped).")
        raise SqlError(
            f"SQL compilation error:\nDatabase '{name}' does not exist or not authorized.",
            2003,
            "02000",
        )


class UseDatabase:
    """USE DATABASE: its schema PUBLIC becomes the current one, if it is there."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is USE DATABASE."""
        return statement.words[:2] == ["USE", "DATABASE"] and isinstance(
            statement.expression, exp.Use
        )

    def run(self, session: Session, statement: Statement, bindings: Bindings) -> StatementResult:
        """Make the database the current one."""
        name = _name(cast(exp.Use, statement.expression))
        if not session.warehouse.has_schema(name, "PUBLIC"):
            return session.upstream(statement, bindings)
        session.use(name, "PUBLIC")
        return status_result(type_id=USE)


def _name(expression: exp.Expression) -> str:
    identifier = next(expression.find_all(exp.Identifier))
    return identifier.name if identifier.quoted else normalise_ident(identifier.name)

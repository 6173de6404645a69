"""INFORMATION_SCHEMA of every database.

What upstream lacks: Snowflake's names for several types, declared text lengths after a rename,
comments, temporary tables, views among TABLES, PACKAGES, a name qualified by a database.

The views are DuckDB macros in the memory of the process (`sql/information_schema.sql`). They read
DuckDB's catalog, which shows a session its own temporary objects.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from local_snowflake.sql.errors import SqlError, unsupported
from local_snowflake.sql.names import stored

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session

CATALOG = "memory"
SCHEMA = "snowflake_catalog"

_VIEWS = {"COLUMNS", "TABLES", "VIEWS", "SCHEMATA", "DATABASES", "TABLE_CONSTRAINTS", "PACKAGES"}
_UPSTREAM = {"LOAD_HISTORY"}


def creation_sql() -> str:
    """What creates the macros, once per process."""
    folder = files(__package__).joinpath("sql")
    names = ("information_schema.sql", "functions.sql")
    return "\n".join(folder.joinpath(name).read_text() for name in names)


def macro_call(name: str, *arguments: Expr) -> exp.Dot:
    """The call of one of this package's macros, from any database."""
    return exp.Dot.build(
        [
            exp.to_identifier(CATALOG, quoted=True),
            exp.to_identifier(SCHEMA, quoted=True),
            exp.Anonymous(this=name, expressions=list(arguments)),
        ]
    )


def use_information_schema(expression: Expr, session: Session) -> Expr:
    """Let INFORMATION_SCHEMA's views mean the macros.

    Raises:
        SqlError: There is no such view, or no such database.
    """
    for table in list(expression.find_all(exp.Table)):
        if not isinstance(table.this, exp.Identifier) or not _is_information_schema(table, session):
            continue
        view = stored(table.this)
        if view in _UPSTREAM:
            continue
        if view not in _VIEWS:
            raise unsupported(f"INFORMATION_SCHEMA.{view}")
        catalog = table.args.get("catalog")
        database = stored(catalog) if catalog else session.connection.database
        if database is None or not session.warehouse.has_database(database):
            raise SqlError(
                f"SQL compilation error:\nDatabase '{database}' does not exist or not authorized.",
                2003,
                "02000",
            )
        values: list[Expr] = [exp.Literal.string(database)]
        if view == "PACKAGES":
            values += _packages(session)
        macro = exp.Anonymous(this=f"{view.lower()}_of", expressions=values)
        alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(view))
        for column in expression.find_all(exp.Column):
            if column.args.get("db") and column.db.upper() == "INFORMATION_SCHEMA":
                column.set("db", None)
                column.set("catalog", None)
        table.replace(
            exp.Table(
                this=macro,
                db=exp.to_identifier(SCHEMA, quoted=True),
                catalog=exp.to_identifier(CATALOG, quoted=True),
                alias=alias,
            )
        )
    return expression


def _packages(session: Session) -> list[Expr]:
    """The names and versions of what handlers can import, and the version of their Python."""
    handlers = session.warehouse.handlers
    packages = handlers.listed_packages()
    columns = [list(packages), list(packages.values())]
    texts = [*(json.dumps(column) for column in columns), handlers.runtime_version]
    return [exp.Literal.string(text) for text in texts]


def _is_information_schema(table: exp.Table, session: Session) -> bool:
    schema = table.args.get("db")
    if schema is not None:
        return stored(schema).upper() == "INFORMATION_SCHEMA"
    return session.connection.schema == "INFORMATION_SCHEMA" and stored(table.this) in (_VIEWS)

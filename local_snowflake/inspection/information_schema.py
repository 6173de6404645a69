"""INFORMATION_SCHEMA of every database.

What fakesnow lacks: Snowflake's names for several types, declared text lengths after a rename,
comments, temporary tables, views among TABLES, PACKAGES, a name qualified by a database.

The views are DuckDB macros in the memory of the process (`information_schema.sql`). They read
DuckDB's catalog, which shows a session its own temporary objects.
"""

from __future__ import annotations

import json
from importlib.resources import files

from sqlglot import Expr, exp

from local_snowflake.engine.context import WarehouseAccess
from local_snowflake.routines.context import RoutineContext
from local_snowflake.sql.errors import does_not_exist, unsupported
from local_snowflake.sql.macros import CATALOG, SCHEMA
from local_snowflake.sql.names import stored_identifier

_VIEWS = {"COLUMNS", "TABLES", "VIEWS", "SCHEMATA", "DATABASES", "TABLE_CONSTRAINTS", "PACKAGES"}
_ANSWERED_BY_FAKESNOW = {"LOAD_HISTORY"}


def create_view_macros(warehouse: WarehouseAccess) -> None:
    """Create the macros of `information_schema.sql`, once per process."""
    with warehouse.connect() as duck:
        duck.execute(files(__package__).joinpath("information_schema.sql").read_text())


def use_information_schema(expression: Expr, session: RoutineContext) -> Expr:
    """Replace the views of INFORMATION_SCHEMA by calls of the macros.

    Raises:
        SqlError: There is no such view, or no such database.
    """
    for table in list(expression.find_all(exp.Table)):
        if not isinstance(table.this, exp.Identifier) or not _is_information_schema(table, session):
            continue
        view = stored_identifier(table.this)
        if view in _ANSWERED_BY_FAKESNOW:
            continue
        if view not in _VIEWS:
            raise unsupported(f"INFORMATION_SCHEMA.{view}")
        catalog = table.args.get("catalog")
        database = stored_identifier(catalog) if catalog else session.database
        if database is None or not session.warehouse.has_database(database):
            raise does_not_exist("Database", database)
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


def _packages(session: RoutineContext) -> list[Expr]:
    """Return the packages that handlers can import, their versions, and the version of Python."""
    handlers = session.warehouse.handlers
    packages = handlers.listed_packages()
    columns = [list(packages), list(packages.values())]
    texts = [*(json.dumps(column) for column in columns), handlers.runtime_version]
    return [exp.Literal.string(text) for text in texts]


def _is_information_schema(table: exp.Table, session: RoutineContext) -> bool:
    schema = table.args.get("db")
    if schema is not None:
        return stored_identifier(schema).upper() == "INFORMATION_SCHEMA"
    return session.schema == "INFORMATION_SCHEMA" and stored_identifier(table.this) in (_VIEWS)

"""Where tables are: what is there, and making a schema when it is missing."""

from __future__ import annotations

from typing import Any

from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

from factories.core.warehouse.quoting import sql_identifier, sql_literal

# "does not exist or not authorized", of an object or of what it lies in. Any other error, such as
# a lost connection, does not tell that something is missing.
MISSING = {2003, 2043}


def table_columns(session: Session, table: str) -> dict[str, str] | None:
    """Return the types of a table's columns by name, in order; None when there is no table.

    Args:
        session: Snowpark's.
        table: As SQL calls it.
    """
    described = _answer(session, f"describe table {table}")
    return None if described is None else {str(row[0]): str(row[1]) for row in described}


def table_exists(session: Session, table: str) -> bool:
    """Tell whether a table is there, and may be seen."""
    return table_columns(session, table) is not None


def create_schema(session: Session, database: str, schema: str) -> None:
    """Create a schema when it is missing, and its database.

    A role that may not create schemas or databases is not asked to while they are there: Snowflake
    refuses it also when there is nothing to do.
    """
    within = sql_identifier(database)
    if schema in _named(session, "schemas", schema, f"in database {within}"):
        return
    if database not in _named(session, "databases", database):
        session.sql(f"create database if not exists {within}").collect()
    session.sql(f"create schema if not exists {within}.{sql_identifier(schema)}").collect()


def _named(session: Session, kind: str, name: str, where: str = "") -> set[str]:
    """Return the names of what is there of a kind: the one that is meant and others like it."""
    # LIKE takes `_` for any character.
    found = _answer(session, f"show {kind} like {sql_literal(name)} {where}".rstrip())
    return {row["name"] for row in found or ()}


def _answer(session: Session, sql: str) -> list[Any] | None:
    """Return what is told of something; None when it is not there."""
    try:
        return session.sql(sql).collect()
    except SnowparkSQLException as error:
        if error.sql_error_code in MISSING:
            return None
        raise

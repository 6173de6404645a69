"""What is there in the warehouse: tables, schemas, and inputs that were never materialized."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import dagster as dg
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

from factories.core.warehouse.names import Relation
from factories.core.warehouse.quoting import sql_identifier, sql_literal
from factories.snowpark.errors import SnowparkStepError
from factories.snowpark.session import WAREHOUSE_ERRORS

# "does not exist or not authorized", of an object or of what it lies in. Any other error, such as
# a lost connection, does not mean that something is missing.
MISSING = {2003, 2043}


class InputMissingError(SnowparkStepError):
    """A table that is to be read is not there; the text names the asset that makes it."""


def table_columns(session: Session, table: str) -> dict[str, str] | None:
    """Return the types of a table's columns by name, in order; None when there is no table.

    Args:
        session: Snowpark's.
        table: As SQL calls it.
    """
    described = _collect_or_none(session, f"describe table {table}")
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
    if schema in _find_names(session, "schemas", schema, f"in database {within}"):
        return
    if database not in _find_names(session, "databases", database):
        session.sql(f"create database if not exists {within}").collect()
    session.sql(f"create schema if not exists {within}.{sql_identifier(schema)}").collect()


def _find_names(session: Session, kind: str, name: str, where: str = "") -> set[str]:
    """Return the names of what is there of a kind: the one that is meant and others like it."""
    # LIKE takes `_` for any character.
    found = _collect_or_none(session, f"show {kind} like {sql_literal(name)} {where}".rstrip())
    return {row["name"] for row in found or ()}


def _collect_or_none(session: Session, sql: str) -> list[Any] | None:
    """Return the rows that describe something; None when it is not there."""
    try:
        return session.sql(sql).collect()
    except SnowparkSQLException as error:
        if error.sql_error_code in MISSING:
            return None
        raise


@contextmanager
def name_missing_inputs(session: Session, inputs: Mapping[dg.AssetKey, Relation]) -> Iterator[None]:
    """Name the inputs that are not there, when something that reads them fails for it.

    The warehouse is asked only then: a step that goes well pays no statement for it.

    Args:
        session: Snowpark's.
        inputs: The tables that are read, by the asset that makes them.

    Raises:
        InputMissingError: Instead of what the warehouse has refused, when an input is not there.
    """
    try:
        yield
    except WAREHOUSE_ERRORS:
        missing = {key: table for key, table in inputs.items() if _is_missing(session, table)}
        if not missing:
            raise
        tables = ", ".join(map(str, missing.values()))
        assets = ", ".join(key.to_user_string() for key in missing)
        there = "are no tables" if len(missing) > 1 else "is no table"
        message = (
            f"there {there} {tables}, or none that the role may read: materialize {assets} first"
        )
        raise InputMissingError(message) from None


def _is_missing(session: Session, table: Relation) -> bool:
    with suppress(*WAREHOUSE_ERRORS):  # a session that is lost says nothing about it
        return not table_exists(session, table.sql)
    return False

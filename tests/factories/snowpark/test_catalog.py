"""What is there in the warehouse, and schemas that are made when they are missing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkClientException

from factories.snowpark.catalog import create_schema, table_columns, table_exists
from tests.conftest import WarehouseUnderTest


@pytest.fixture
def missing(database: str, warehouse: WarehouseUnderTest) -> Iterator[str]:
    """The name of a database that there is not."""
    yield f"{database}_X"
    warehouse.rows(f"drop database if exists {database}_X")


def make_schema(session: Session, database: str, schema: str) -> list[str]:
    """Make a schema, and return the kinds of what was asked for."""
    with session.query_history() as history:
        create_schema(session, database, schema)
    words = [query.sql_text.split() for query in history.queries]
    return [text[1] for text in words if text[0] == "create"]


def test_a_table_that_there_is_not_has_no_columns(session: Session, database: str) -> None:
    session.sql(f'create table {database}.PUBLIC.T (id number(10,0), "v" varchar(5))').collect()
    there = f'"{database}"."PUBLIC"."T"'
    assert table_columns(session, there) == {"ID": "NUMBER(10,0)", "v": "VARCHAR(5)"}
    assert table_exists(session, there)
    for name in (f"{database}.PUBLIC.OTHER", f"{database}.OTHER.T", f"{database}_X.PUBLIC.T"):
        assert table_columns(session, name) is None
        assert not table_exists(session, name)


def test_a_lost_connection_does_not_tell_that_a_table_is_missing(
    warehouse: WarehouseUnderTest, database: str
) -> None:
    own = Session.builder.configs({**warehouse.settings, "database": database}).create()
    own.close()
    with pytest.raises(SnowparkClientException):
        table_exists(own, f"{database}.PUBLIC.T")


def test_what_is_missing_is_made_and_nothing_else_asked_for(
    session: Session, database: str, missing: str
) -> None:
    """A role may use a schema that it may not create."""
    assert make_schema(session, missing, "ORDER") == ["database", "schema"]
    assert make_schema(session, database, "ORDER_S") == ["schema"]
    assert make_schema(session, database, "ORDERXS") == ["schema"]
    assert make_schema(session, database, "ORDER_S") == []
    assert make_schema(session, missing, "ORDER") == []

"""CREATE, DROP and USE of schemas and databases: what fails changes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import ProgrammingError


@pytest.fixture
def cursor(connection: SnowflakeConnection) -> SnowflakeCursor:
    return connection.cursor()


def schemas(cursor: SnowflakeCursor) -> set[str]:
    return {row[1] for row in cursor.execute("show schemas").fetchall()} - {"INFORMATION_SCHEMA"}


@pytest.mark.parametrize(
    "rest",
    [
        "s bogus = 1",
        "s bogus",
        "s comment 'x'",
        "s comment",
        "s data_retention_time_in_days = 'long'",
        "s default_ddl_collation = 'en-ci'",
        "s with tag (a = 'b')",
        "s (a int)",
        "s as select 1",
        "s clone public",
        "s from backup",
        "s with managed access bogus = 1",
        "if not exists s bogus",
        "a.b.s",
        "no_such_database.s",
        "information_schema",
        '"main"',
        "public",
        "",
    ],
)
def test_refused_schema_is_not_there_afterwards(cursor: SnowflakeCursor, rest: str) -> None:
    with pytest.raises(ProgrammingError):
        cursor.execute(f"create schema {rest}")
    assert schemas(cursor) == {"PUBLIC"}
    assert cursor.execute("select current_schema()").fetchall() == [("PUBLIC",)]


@pytest.mark.parametrize(
    "rest",
    [
        "s",
        "s with managed access",
        "s comment = 'clone of table'",
        "s log_level = 'INFO'",
        "s data_retention_time_in_days = 1 comment = 'x'",
        "if not exists s",
    ],
)
def test_options_that_change_nothing_are_accepted(cursor: SnowflakeCursor, rest: str) -> None:
    cursor.execute(f"create transient schema {rest}")
    assert schemas(cursor) == {"PUBLIC", "S"}
    assert cursor.execute("select current_schema()").fetchall() == [("S",)]


def test_replacing_takes_the_tables_and_a_refused_one_leaves_them(cursor: SnowflakeCursor) -> None:
    cursor.execute("create schema s")
    cursor.execute("create table t (a int)")
    for refused in ("create or replace schema s bogus = 1", "create schema s"):
        with pytest.raises(ProgrammingError):
            cursor.execute(refused)
        assert cursor.execute("select count(*) from s.t").fetchall() == [(0,)]
    with pytest.raises(ProgrammingError, match="OR REPLACE are incompatible"):
        cursor.execute("create or replace schema if not exists s")
    cursor.execute("create or replace schema s")
    with pytest.raises(ProgrammingError, match=r"does not exist"):
        cursor.execute("select count(*) from s.t")


def test_of_several_at_once_one_creates_it(warehouse, database: str) -> None:
    def create(_: int) -> str:
        with warehouse.connect(database=database) as connection:
            try:
                return str(connection.cursor().execute("create schema s").fetchall()[0][0])
            except ProgrammingError as error:
                return f"{error.errno}"

    with ThreadPoolExecutor(4) as pool:
        results = sorted(pool.map(create, range(4)))

    assert results == ["2002", "2002", "2002", "Schema S successfully created."]


def test_drop_says_what_is_missing(cursor: SnowflakeCursor) -> None:
    cursor.execute("create schema s")
    cursor.execute("drop schema s cascade")
    with pytest.raises(ProgrammingError, match=r"Schema '.*S' does not exist"):
        cursor.execute("drop schema s")
    assert "already dropped" in str(cursor.execute("drop schema if exists s").fetchall())
    with pytest.raises(ProgrammingError, match="does not exist, or operation"):
        cursor.execute("use schema s")


@pytest.mark.parametrize(
    "rest",
    [
        *("x.y", "d bogus = 1", "d as select 1", "d from share a.b", "d clone raw", "d with x"),
        *('"a b"', '"a.b"', '"a""b"', '"a/b"', '"täble"', '"1a"', '"select"', f'"{"x" * 201}"'),
    ],
)
def test_refused_database_is_not_there_afterwards(
    warehouse, cursor: SnowflakeCursor, rest: str
) -> None:
    before = cursor.execute("show databases").fetchall()
    with pytest.raises(ProgrammingError):
        cursor.execute(f"create database {rest}")
    assert cursor.execute("show databases").fetchall() == before
    assert warehouse.rows("select 1") == [(1,)]


@pytest.mark.parametrize("name", ["TABLE", "WAREHOUSE", "DATABASE", "TEMPLATE", "TEMPORARY VIEW"])
def test_quoted_words_are_names(cursor: SnowflakeCursor, name: str) -> None:
    cursor.execute(f'create schema "{name}"')
    cursor.execute(f'create table "{name}" as select 1 as "{name}"')
    cursor.execute("use schema public")
    cursor.execute(f'use "{name}"')
    assert cursor.execute(f'select "{name}" from "{name}"').fetchall() == [(1,)]
    cursor.execute(f'drop schema "{name}"')

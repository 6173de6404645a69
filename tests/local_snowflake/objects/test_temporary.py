"""Temporary tables and views: in any schema, for one session only."""

from __future__ import annotations

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import IntegrityError, ProgrammingError


@pytest.fixture
def cursor(connection: SnowflakeConnection):
    return connection.cursor()


def test_temporary_objects_live_in_any_schema_of_any_database(cursor, database):
    cursor.execute("create schema other")
    cursor.execute("use database raw")
    cursor.execute(f"create temporary table {database}.other.t (a int)")
    cursor.execute(f"insert into {database}.other.t values (1), (2)")
    cursor.execute(
        f"create or replace temporary view {database}.other.v as "
        f"(select t.a + 1 as a from {database}.other.t where {database}.other.t.a > 1)"
    )
    assert cursor.execute(f"select * from {database}.other.v").fetchall() == [(3,)]
    cursor.execute(f"use schema {database}.other")
    assert cursor.execute("select v.a, t.a from v join t on t.a + 1 = v.a").fetchall() == [(3, 2)]


def test_temporary_objects_are_seen_by_their_session_only(cursor, warehouse, database):
    cursor.execute("create temp table t (a int)")
    with pytest.raises(ProgrammingError, match="does not exist"):
        warehouse.rows("select * from t", database=database)
    tables = "select table_name from information_schema.tables"
    assert cursor.execute(tables).fetchall() == [("T",)]
    assert warehouse.rows(tables, database=database) == []


def test_temporary_table_ends_with_its_session(warehouse, database):
    with warehouse.connect(database=database) as connection:
        connection.cursor().execute("create temporary table t (a int)")
    assert warehouse.rows("show tables", database=database) == []


def test_temporary_table_hides_a_permanent_one_until_dropped(cursor):
    cursor.execute("create table t as select 'permanent' as kind")
    cursor.execute("create temporary table t as select 'temporary' as kind, 1 as more")
    assert cursor.execute("select kind from t").fetchall() == [("temporary",)]
    assert [row[0] for row in cursor.execute("describe table t").fetchall()] == ["KIND", "MORE"]
    cursor.execute("drop table t")
    assert cursor.execute("select kind from t").fetchall() == [("permanent",)]


def test_common_table_expression_hides_a_temporary_table(cursor):
    cursor.execute("create temporary table t as select 1 as a")
    rows = cursor.execute("with t as (select a + 10 as a from t) select a from t").fetchall()
    assert rows == [(11,)]


def test_temporary_table_takes_dml_and_alter(cursor):
    cursor.execute("create table source (a int not null default 7, b varchar)")
    cursor.execute("insert into source (b) values ('x')")
    cursor.execute("create temp table t clone source")
    cursor.execute("create temp table empty like source")
    cursor.execute("update t set b = 'y' where t.a = 7")
    cursor.execute("insert into t (b) values ('z')")
    cursor.execute(
        "merge into t using source s on t.b = s.b when not matched then insert (a, b) values (1, b)"
    )
    cursor.execute("delete from t where b = 'z'")
    cursor.execute("alter table t rename to renamed")
    assert cursor.execute("select * from renamed order by a").fetchall() == [(1, "x"), (7, "y")]
    assert cursor.execute("select count(*) from empty").fetchone() == (0,)


def test_scoped_temporary_and_identifier_are_understood(warehouse, database):
    with warehouse.connect(database=database, paramstyle="qmark") as connection:
        cursor = connection.cursor()
        name = f'"{database}"."PUBLIC"."t 1"'
        cursor.execute("create scoped temporary table identifier(?) (a int)", (name,))
        cursor.execute("insert into identifier(?) values (?)", (name, 5))
        assert cursor.execute(f"select * from {name}").fetchall() == [(5,)]


def test_errors_show_the_name_that_was_written(cursor, database):
    cursor.execute("create temporary table t (a int not null)")
    with pytest.raises(IntegrityError, match=f"{database}.PUBLIC.T"):
        cursor.execute("insert into t values (null)")


def test_schema_takes_its_temporary_objects_with_it(cursor):
    cursor.execute("create schema s")
    cursor.execute("create temporary table s.t (a int)")
    cursor.execute("drop schema s")
    cursor.execute("create schema s")
    with pytest.raises(ProgrammingError, match="does not exist"):
        cursor.execute("select * from s.t")

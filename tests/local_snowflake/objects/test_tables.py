"""CREATE, ALTER, DROP and what is told about tables and views."""

from __future__ import annotations

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import IntegrityError, ProgrammingError


@pytest.fixture
def cursor(connection: SnowflakeConnection):
    return connection.cursor()


def rows(cursor, sql: str) -> list[tuple[object, ...]]:
    return cursor.execute(sql).fetchall()


def test_swap_exchanges_rows_columns_and_comments(cursor):
    cursor.execute("create table a (x int) comment = 'was a'")
    cursor.execute("create table b (y varchar(3)) comment = 'was b'")
    cursor.execute("insert into a values (1)")
    cursor.execute("alter table a swap with b")
    assert rows(cursor, "select x from b") == [(1,)]
    assert rows(cursor, "select y from a") == []
    comments = "select table_name, comment from information_schema.tables order by 1"
    assert rows(cursor, comments) == [("A", "was b"), ("B", "was a")]


def test_failed_swap_changes_nothing(cursor):
    cursor.execute("create table a (x int)")
    with pytest.raises(ProgrammingError, match="does not exist"):
        cursor.execute("alter table a swap with missing")
    assert rows(cursor, "select * from a") == []


def test_swap_works_across_schemas(cursor):
    cursor.execute("create table t as select 1 as x")
    cursor.execute("create schema staging")
    cursor.execute("create table staging.t as select 2 as x")
    cursor.execute("alter table public.t swap with staging.t")
    assert rows(cursor, "select x from public.t union all select x from staging.t") == [(2,), (1,)]


def test_several_columns_are_altered_at_once(cursor):
    cursor.execute("create table t (id int not null, old varchar)")
    cursor.execute("alter table t add column a int, b varchar(7) comment 'it''s b'")
    cursor.execute("alter table t alter a set data type number(20,2), column id drop not null")
    cursor.execute("alter table t rename column old to new")
    described = {row[0]: row for row in rows(cursor, "describe table t")}
    assert list(described) == ["ID", "NEW", "A", "B"]
    assert described["A"][1] == "NUMBER(20,2)"
    assert described["B"][1] == "VARCHAR(7)"
    assert described["B"][9] == "it's b"
    assert described["ID"][3] == "Y"
    cursor.execute("alter table t drop column a, b")
    assert [row[0] for row in rows(cursor, "describe table t")] == ["ID", "NEW"]


def test_clone_has_rows_defaults_types_and_comments(cursor):
    cursor.execute("create table t (a int not null default 3, o object, s varchar(5) comment 'c')")
    cursor.execute("insert into t (s) values ('x')")
    cursor.execute("create transient table c clone t")
    cursor.execute("insert into c (s) values ('y')")
    assert rows(cursor, "select a, s from c order by s") == [(3, "x"), (3, "y")]
    assert rows(cursor, "describe table c") == rows(cursor, "describe table t")


def test_keys_are_recorded_and_not_enforced(cursor):
    cursor.execute("create table t (id int primary key, v int, constraint one unique (v))")
    cursor.execute("insert into t values (1, 1), (1, 1)")
    assert rows(cursor, "select count(*) from t") == [(2,)]
    assert [row[4] for row in rows(cursor, "show primary keys in table t")] == ["ID"]
    assert [row[6] for row in rows(cursor, "show unique keys in table t")] == ["ONE"]
    with pytest.raises(IntegrityError, match="NOT NULL"):
        cursor.execute("insert into t values (null, 1)")


def test_columns_and_query_together_make_a_table(cursor):
    cursor.execute("create table t (id integer not null, v varchar(3)) as (select '1', 'x')")
    assert rows(cursor, "select * from t") == [(1, "x")]
    cursor.execute("create or replace table t (a, b) as select * from t")
    assert rows(cursor, "select a, b from t") == [(1, "x")]


def test_taken_and_missing_names_give_snowflakes_errors(cursor):
    cursor.execute("create table t (a int)")
    with pytest.raises(ProgrammingError) as taken:
        cursor.execute("create table t (a int)")
    assert taken.value.errno == 2002
    with pytest.raises(ProgrammingError) as taken:
        cursor.execute("create schema public")
    assert taken.value.errno == 2002
    with pytest.raises(ProgrammingError) as missing:
        cursor.execute("drop table missing")
    assert missing.value.errno == 2003
    assert "already exists" in rows(cursor, "create table if not exists t (a int)")[0][0]
    assert "already dropped" in rows(cursor, "drop view if exists missing")[0][0]


def test_information_schema_gives_snowflakes_types_by_any_qualification(cursor, database):
    cursor.execute(
        "create table t (a int, b number(10,2), c float, d varchar(9), e boolean, f date, g time, "
        "h timestamp_ntz, i timestamp_ltz, j timestamp_tz, k variant, l array, m object, n binary)"
    )
    cursor.execute("use database raw")
    found = rows(
        cursor,
        "select column_name, data_type, character_maximum_length, numeric_precision, numeric_scale "
        f"from {database}.information_schema.columns where upper(table_schema) = 'PUBLIC' "
        "and table_name = 'T' order by ordinal_position",
    )
    assert [row[1] for row in found] == [
        *("NUMBER", "NUMBER", "FLOAT", "TEXT", "BOOLEAN", "DATE", "TIME", "TIMESTAMP_NTZ"),
        *("TIMESTAMP_LTZ", "TIMESTAMP_TZ", "VARIANT", "ARRAY", "OBJECT", "BINARY"),
    ]
    assert found[1][3:] == (10, 2)
    assert found[3][2] == 9


def test_views_are_listed_and_columns_keep_the_case_of_quoted_names(cursor):
    cursor.execute('create table t ("mixedCase" int, plain int)')
    cursor.execute("create view v (a comment 'first', b) comment = 'v' as select * from t")
    assert rows(cursor, 'select "mixedCase", PLAIN from T') == []
    with pytest.raises(ProgrammingError, match="MIXEDCASE"):
        cursor.execute('select "MIXEDCASE_2" from t')
    views = "select table_name, comment from information_schema.views"
    assert rows(cursor, views) == [("V", "v")]
    assert rows(cursor, "describe view v")[0][9] == "first"


def test_sequence_of_a_column_belongs_to_its_table(cursor):
    cursor.execute("create schema other")
    cursor.execute("create table other.t (id int autoincrement, v varchar)")
    cursor.execute("use schema public")
    cursor.execute("insert into other.t (v) values ('x'), ('y')")
    assert rows(cursor, "select id from other.t order by id") == [(1,), (2,)]


@pytest.mark.parametrize(
    ("statement", "feature"),
    [
        ("undrop table t", "UNDROP"),
        ("create table c clone t at (offset => -60)", "Time Travel"),
        ("select * from t at (offset => -60)", "Time Travel"),
        ("create dynamic table d target_lag = '1 day' warehouse = w as select 1", "DYNAMIC TABLE"),
        ("create database d clone raw", "CREATE DATABASE … CLONE"),
        ("create schema s clone public", "CREATE SCHEMA … CLONE"),
        ("create stream s on table t", "STREAM"),
        ("select system$stream_has_data('s')", "SYSTEM\\$STREAM_HAS_DATA"),
        ("select * from information_schema.usage_privileges", "USAGE_PRIVILEGES"),
        ("alter session set timezone = 'America/New_York'", "TIMEZONE = America/New_York"),
    ],
)
def test_what_is_not_here_is_named(cursor, statement, feature):
    cursor.execute("create table t (a int)")
    with pytest.raises(ProgrammingError, match=f"{feature}.* is not in the embedded warehouse"):
        cursor.execute(statement)

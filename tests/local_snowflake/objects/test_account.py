"""Roles, warehouses, grants, SHOW and session parameters."""

from __future__ import annotations

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import DictCursor
from snowflake.connector.errors import ProgrammingError


@pytest.fixture
def cursor(connection: SnowflakeConnection):
    return connection.cursor(DictCursor)


def names(cursor, sql: str) -> list[str]:
    return [row["name"] for row in cursor.execute(sql).fetchall()]


def test_account_objects_are_kept_and_listed(cursor, database):
    for kind in ("role", "warehouse", "user"):
        name = f"{database}_{kind}".upper()
        cursor.execute(f"create {kind} if not exists {name} comment = 'it''s here'")
        shown = cursor.execute(f"show {kind}s like '{name.lower()}'").fetchall()
        assert [(row["name"], row["comment"]) for row in shown] == [(name, "it's here")]
        with pytest.raises(ProgrammingError, match="already exists"):
            cursor.execute(f"create {kind} {name}")
        cursor.execute(f"drop {kind} {name}")
        assert names(cursor, f"show {kind}s like '{name}'") == []


def test_session_uses_role_and_warehouse(cursor):
    cursor.execute("use role loader")
    cursor.execute('use warehouse "Big One"')
    cursor.execute("use secondary roles all")
    row = cursor.execute("select current_role() r, current_warehouse() w").fetchone()
    assert row == {"R": "LOADER", "W": "Big One"}


def test_functions_of_the_session_have_their_own_names(cursor, database):
    row = cursor.execute(
        "select current_database(), current_schema(), current_user(), current_session()"
    ).fetchone()
    assert row["CURRENT_DATABASE()"] == database
    assert row["CURRENT_SCHEMA()"] == "PUBLIC"
    assert row["CURRENT_SESSION()"] == str(cursor.connection.session_id)
    cursor.execute("select 7 as seven")
    found = cursor.execute('select "SEVEN" from table(result_scan(last_query_id()))').fetchall()
    assert found == [{"SEVEN": 7}]


def test_grants_follow_the_table(cursor, database):
    cursor.execute("create table t (a int)")
    cursor.execute("grant select, insert on table t to role reader")
    cursor.execute("revoke insert on t from reader")
    shown = cursor.execute(f"show grants on {database}.public.t").fetchall()
    assert [(row["privilege"], row["grantee_name"], row["granted_on"]) for row in shown] == [
        ("SELECT", "READER", "TABLE")
    ]
    cursor.execute("create or replace table t copy grants as select 1 as a")
    assert len(cursor.execute("show grants on table t").fetchall()) == 1
    cursor.execute("drop table t")
    cursor.execute("create table t (a int)")
    assert cursor.execute("show grants on table t").fetchall() == []
    cursor.execute("grant select on t to reader")
    cursor.execute("create or replace table t as select 1 as a")
    assert cursor.execute("show grants on table t").fetchall() == []


def test_clone_copies_grants_of_the_table_that_it_replaces_or_else_of_its_source(cursor):
    for name in ("new", "old"):
        cursor.execute(f"create table {name} (a int)")
        cursor.execute(f"grant select on {name} to reader_of_{name}")

    cursor.execute("create or replace table old clone new copy grants")
    cursor.execute('create transient table "another" clone "NEW" copy grants')
    cursor.execute("create table plain clone new")

    assert readers(cursor, "old") == ["READER_OF_OLD"]
    assert readers(cursor, '"another"') == ["READER_OF_NEW"]
    assert readers(cursor, "plain") == []


def test_grants_move_with_a_table_that_is_renamed_or_swapped(cursor):
    for name in ("new", "old"):
        cursor.execute(f"create table {name} (a int)")
        cursor.execute(f"grant select, insert on {name} to reader_of_{name}")
    cursor.execute("grant select on old to reader_of_new")

    cursor.execute("alter table old swap with new")
    assert readers(cursor, "old") == ["READER_OF_NEW"] * 2
    assert readers(cursor, "new") == ["READER_OF_NEW", "READER_OF_OLD", "READER_OF_OLD"]

    cursor.execute("alter table old rename to newer")
    cursor.execute("create table old (a int)")
    assert readers(cursor, "newer") == ["READER_OF_NEW"] * 2
    assert readers(cursor, "old") == []


def readers(cursor, table: str) -> list[str]:
    shown = cursor.execute(f"show grants on table {table}").fetchall()
    return sorted(row["grantee_name"] for row in shown)


def test_show_filters_by_name_and_scope(cursor, database):
    cursor.execute("create table apples (a int)")
    cursor.execute('create table "apricots" (a int)')
    cursor.execute("create view bananas as select 1 as a")
    assert names(cursor, "show objects like 'AP%'") == ["APPLES", "apricots"]
    assert names(cursor, "show objects starts with 'ap'") == ["apricots"]
    assert names(cursor, f"show terse objects in {database}.public limit 1") == ["APPLES"]
    assert names(cursor, "show views in account like 'banana_'") == ["BANANAS"]
    assert names(cursor, f"show terse schemas like 'pub%' in database {database}") == ["PUBLIC"]
    assert names(cursor, f"show databases like '{database.lower()}'") == [database]
    shown = cursor.execute("show columns in table apples").fetchall()
    assert [row["column_name"] for row in shown] == ["A"]
    assert cursor.execute("show user functions").fetchall() == []


def test_session_parameters_are_kept_and_nonsense_is_refused(cursor):
    cursor.execute("alter session set query_tag = 'nightly load' statement_timeout_in_seconds = 60")
    tag = "show parameters like 'query_tag' in session"
    assert cursor.execute(tag).fetchone()["value"] == "nightly load"
    cursor.execute("alter session unset query_tag")
    assert cursor.execute(tag).fetchone()["value"] == ""
    cursor.execute("alter session set timezone = 'UTC'")
    with pytest.raises(ProgrammingError, match=r"invalid value \[soon\] for parameter"):
        cursor.execute("alter session set lock_timeout = 'soon'")
    with pytest.raises(ProgrammingError, match="invalid parameter 'QUERY_TAGG'"):
        cursor.execute("alter session set query_tagg = 'x'")

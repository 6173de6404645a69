"""Snowflake's transaction rules, through snowflake-connector-python."""

from __future__ import annotations

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import IntegrityError, ProgrammingError


@pytest.fixture
def cursor(connection: SnowflakeConnection):
    cursor = connection.cursor()
    cursor.execute("create table t (a int)")
    cursor.execute("insert into t values (1)")
    return cursor


def count(cursor) -> int:
    return cursor.execute("select count(*) from t").fetchone()[0]


def test_rollback_undoes_the_transaction(cursor):
    cursor.execute("begin")
    cursor.execute("insert into t values (2)")
    assert count(cursor) == 2
    cursor.execute("rollback")
    assert count(cursor) == 1


def test_ddl_commits_the_open_transaction(cursor):
    cursor.execute("begin")
    cursor.execute("insert into t values (2)")
    cursor.execute("create table other (a int)")
    cursor.execute("rollback")
    assert count(cursor) == 2


def test_error_in_names_or_types_undoes_its_statement_only(cursor):
    cursor.execute("begin")
    cursor.execute("insert into t values (2)")
    for wrong in ("insert into t values ('x')", "select nope from t", "delete from missing"):
        with pytest.raises(ProgrammingError):
            cursor.execute(wrong)
    cursor.execute("commit")
    assert count(cursor) == 2


def test_session_goes_on_after_an_error_while_a_statement_ran(cursor):
    cursor.execute("begin")
    cursor.execute("insert into t values (2)")
    with pytest.raises(ProgrammingError, match="Could not convert"):
        cursor.execute("insert into t select 'x' || a from t")
    assert count(cursor) == 1
    cursor.execute("rollback")
    cursor.execute("insert into t values (3)")
    assert count(cursor) == 2


def test_commit_after_lost_work_is_refused_and_keeps_nothing(cursor):
    cursor.execute("begin")
    cursor.execute("insert into t values (2)")
    with pytest.raises(ProgrammingError):
        cursor.execute("insert into t select 'x' || a from t")
    cursor.execute("insert into t values (3)")
    with pytest.raises(ProgrammingError, match="cannot be committed"):
        cursor.execute("commit")
    assert count(cursor) == 1


def test_error_that_never_reached_the_data_keeps_the_transaction(cursor):
    cursor.execute("begin")
    cursor.execute("insert into t values (2)")
    with pytest.raises(ProgrammingError, match="TASK is not in the embedded warehouse"):
        cursor.execute("create task x as select 1")
    # CREATE is DDL: it has committed.
    cursor.execute("rollback")
    assert count(cursor) == 2


def test_merge_is_all_or_nothing(cursor):
    cursor.execute("create table target (a int not null, b int)")
    cursor.execute("insert into target values (1, 0)")
    with pytest.raises(IntegrityError):
        cursor.execute(
            "merge into target using (select 1 as a, 9 as b union all select null, 9) s "
            "on target.a = s.a when matched then update set b = s.b "
            "when not matched then insert (a, b) values (s.a, s.b)"
        )
    assert cursor.execute("select b from target").fetchall() == [(0,)]


def test_without_autocommit_dml_waits_for_commit(warehouse, database, cursor):
    with warehouse.connect(database=database, autocommit=False) as other:
        writer = other.cursor()
        writer.execute("insert into t values (2)")
        assert count(cursor) == 1
        other.commit()
        assert count(cursor) == 2
        writer.execute("insert into t values (3)")
        other.rollback()
    assert count(cursor) == 2


def test_sessions_do_not_see_each_others_open_transactions(warehouse, database, cursor):
    cursor.execute("begin")
    cursor.execute("insert into t values (2)")
    assert warehouse.rows("select count(*) from t", database=database) == [(1,)]
    cursor.execute("commit")
    assert warehouse.rows("select count(*) from t", database=database) == [(2,)]


def test_begin_in_a_transaction_changes_nothing(cursor):
    cursor.execute("begin")
    cursor.execute("insert into t values (2)")
    cursor.execute("start transaction")
    cursor.execute("rollback")
    assert count(cursor) == 1


def test_lock_timeout_says_how_long_a_statement_waits(warehouse, database, cursor):
    cursor.execute("begin")
    cursor.execute("update t set a = 2")
    parameters = {"LOCK_TIMEOUT": 0}
    with warehouse.connect(database=database, session_parameters=parameters) as other:
        waiting = other.cursor()
        with pytest.raises(ProgrammingError, match="has locked"):
            waiting.execute("update t set a = 3")
        cursor.execute("commit")
        waiting.execute("update t set a = a + 1")
    assert cursor.execute("select a from t").fetchone() == (3,)

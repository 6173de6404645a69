"""Several sessions at once: what Snowflake would queue does not fail here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import pytest
from snowflake.connector import SnowflakeConnection

SESSIONS = 4


@pytest.fixture
def at_once(warehouse, database) -> Callable[[Callable[[int], list[str]]], None]:
    """Runs statements in several sessions that start together."""

    def run(statements: Callable[[int], list[str]]) -> None:
        start = threading.Barrier(SESSIONS)

        def one(number: int) -> None:
            with warehouse.connect(database=database) as connection:
                cursor = connection.cursor()
                start.wait(30)
                for sql in statements(number):
                    cursor.execute(sql)

        with ThreadPoolExecutor(SESSIONS) as pool:
            list(pool.map(one, range(SESSIONS)))

    return run


def test_same_schema_is_created_by_all(at_once, warehouse, database):
    at_once(lambda n: [f"create schema if not exists s{i}" for i in range(10)])
    assert len(warehouse.rows("show schemas like 'S_'", database=database)) == 10


def test_same_stage_is_created_by_all(at_once):
    at_once(lambda n: [f"create stage if not exists st{i}" for i in range(10)])


def test_tables_are_replaced_side_by_side(at_once, warehouse, database):
    at_once(
        lambda n: (
            [
                f"create or replace table t{n} (a int)",
                f"insert into t{n} select seq4() from table(generator(rowcount => 1000))",
                f"create or replace table u{n} as select * from t{n}",
                f"delete from u{n} where a >= 500",
            ]
            * 5
        )
    )
    for number in range(SESSIONS):
        assert warehouse.rows(f"select count(*) from u{number}", database=database) == [(500,)]


def test_merges_of_the_same_keys_insert_them_once(at_once, warehouse, database):
    warehouse.rows("create table t (k int, n int)", database=database)
    merge = (
        "merge into t using (select seq4() as k from table(generator(rowcount => 100))) s "
        "on t.k = s.k when matched then update set n = n + 1 "
        "when not matched then insert (k, n) values (s.k, 1)"
    )
    at_once(lambda n: [merge] * 5)
    rows = warehouse.rows("select count(*), min(n), max(n) from t", database=database)
    assert rows == [(100, 5 * SESSIONS, 5 * SESSIONS)]


def test_delete_and_insert_in_a_transaction_wait_for_each_other(at_once, warehouse, database):
    warehouse.rows("create table t (k int)", database=database)
    at_once(
        lambda n: (
            [
                "begin",
                "delete from t where k < 100",
                "insert into t select seq4() from table(generator(rowcount => 100))",
                "commit",
            ]
            * 5
        )
    )
    assert warehouse.rows("select count(*) from t", database=database) == [(100,)]


def test_transaction_that_has_written_nothing_sees_what_others_commit(
    warehouse, database, connection: SnowflakeConnection
):
    cursor = connection.cursor()
    cursor.execute("create table t (k int)")
    cursor.execute("begin")
    assert cursor.execute("select count(*) from t").fetchall() == [(0,)]
    warehouse.rows("insert into t values (1)", database=database)
    assert cursor.execute("select count(*) from t").fetchall() == [(1,)]
    cursor.execute("update t set k = 2")
    cursor.execute("commit")
    assert cursor.execute("select k from t").fetchall() == [(2,)]


def test_two_transactions_that_wait_for_each_other_do_not_wait_for_ever(
    warehouse, database, connection: SnowflakeConnection
):
    cursor = connection.cursor()
    for table in ("t", "u"):
        cursor.execute(f"create table {table} as select 1 as k")
    with warehouse.connect(database=database) as other_connection, ThreadPoolExecutor(2) as pool:
        other = other_connection.cursor()
        for one, table in ((cursor, "t"), (other, "u")):
            one.execute("begin")
            one.execute(f"update {table} set k = 2")
        # One waits for the other, until the one that closes the circle is refused.
        waits = {
            pool.submit(one.execute, f"update {table} set k = 3"): one
            for one, table in ((cursor, "u"), (other, "t"))
        }
        refusal = wait(waits, 30, FIRST_COMPLETED).done.pop()
        assert "waits for this one" in str(refusal.exception())
        refused = waits[refusal]
        refused.execute("rollback")
        survivor = other if refused is cursor else cursor
        survivor.execute("commit")
    both = cursor.execute("select t.k + u.k from t, u").fetchall()
    assert both == [(5,)]

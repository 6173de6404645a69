"""CREATED, LAST_DDL and LAST_ALTERED of tables and views."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import NamedTuple

import duckdb
import pytest
import snowflake.connector
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import ProgrammingError

from local_snowflake.objects.relation_times import RelationTimes, prepare_relation_times
from local_snowflake.process import control
from local_snowflake.sql.names import Name


class Times(NamedTuple):
    created: datetime
    ddl: datetime
    altered: datetime


@pytest.fixture
def cursor(connection) -> Iterator[SnowflakeCursor]:
    """A cursor in a schema with the tables T, of one row, and OTHER."""
    cursor = connection.cursor()
    cursor.execute("create table t (a int, b varchar)")
    cursor.execute("create table other like t")
    cursor.execute("insert into t values (1, 'x')")
    return cursor


def times(cursor: SnowflakeCursor, name: str = "T") -> Times:
    row = cursor.execute(
        "select created, last_ddl, last_altered from information_schema.tables "
        f"where table_name = '{name}'"
    ).fetchone()
    return Times(*row)


ROWS_CHANGED = [
    "insert into t values (2, 'y')",
    "insert overwrite into t select * from t where false",
    "update t set b = 'z' where a = 1",
    "delete from t",
    "merge into t using (select 1 as a) s on t.a = s.a when matched then update set b = 'z'",
    "truncate table t",
]
DEFINITION_CHANGED = [
    "alter table t add column c int",
    "alter table t drop column b",
    "alter table t alter column b comment 'text'",
    "comment on table t is 'text'",
    "comment on column t.b is 'text'",
]
NOTHING_CHANGED = [
    "select * from t",
    "insert into t select * from t where false",
    "insert into other select * from t",
    "update t set b = 'z' where a = 9",
    "delete from t where a = 9",
    "merge into t using (select 9 as a) s on t.a = s.a when matched then update set b = 'z'",
    "create table if not exists t (a int)",
    "create temporary table t as select 1 as a",
    "show tables",
]


@pytest.mark.parametrize("sql", ROWS_CHANGED)
def test_change_of_rows_is_told(cursor, sql):
    before = times(cursor)
    cursor.execute(sql)
    after = times(cursor)
    assert after.altered > before.altered
    assert after[:2] == before[:2]


@pytest.mark.parametrize("sql", DEFINITION_CHANGED)
def test_change_of_the_definition_is_told(cursor, sql):
    before = times(cursor)
    cursor.execute(sql)
    after = times(cursor)
    assert after.altered == after.ddl > before.altered
    assert after.created == before.created


@pytest.mark.parametrize("sql", NOTHING_CHANGED)
def test_statement_without_a_change_is_not_told(cursor, sql):
    before = times(cursor)
    cursor.execute(sql)
    rows = cursor.execute(
        "select created, last_ddl, last_altered from information_schema.tables "
        "where table_name = 'T' and table_type = 'BASE TABLE'"
    ).fetchall()
    assert rows == [before]


@pytest.mark.parametrize(
    "sql", ["create or replace table t (a int)", "create or replace table t clone other"]
)
def test_replaced_table_is_new(cursor, sql):
    before = times(cursor)
    cursor.execute(sql)
    after = times(cursor)
    assert after.created == after.ddl == after.altered > before.altered


def test_copy_is_told_when_it_loads(cursor, tmp_path: Path):
    (tmp_path / "rows.csv").write_text("2,y\n")
    cursor.execute("create stage files")
    cursor.execute(f"put file://{tmp_path / 'rows.csv'} @files")
    seen = [times(cursor)]
    for _ in range(2):
        cursor.execute("copy into t from @files file_format = (type = csv)")
        seen.append(times(cursor))
    assert seen[0].altered < seen[1].altered
    assert seen[1] == seen[2]


def test_batch_of_rows_is_told(cursor):
    before = times(cursor)
    cursor.executemany("insert into t values (%s, %s)", [(2, "y"), (3, "z")])
    assert times(cursor).altered > before.altered


def test_renamed_table_keeps_the_time_of_its_creation(cursor):
    before = times(cursor)
    cursor.execute("alter table t rename to renamed")
    after = times(cursor, "RENAMED")
    assert after.created == before.created
    assert after.altered == after.ddl > before.altered


def test_swap_exchanges_the_times_of_creation(cursor):
    one, two = times(cursor), times(cursor, "OTHER")
    cursor.execute("alter table t swap with other")
    after = times(cursor), times(cursor, "OTHER")
    assert [a.created for a in after] == [two.created, one.created]
    assert all(a.altered > max(one.altered, two.altered) for a in after)


def test_show_and_views_have_the_times(cursor):
    cursor.execute("create view v as select * from t")
    shown = {row[1]: row[0] for row in cursor.execute("show objects in account").fetchall()}
    assert (shown["T"], shown["V"]) == (times(cursor).created, times(cursor, "V").created)
    cursor.execute("select created, last_altered from information_schema.views")
    assert cursor.fetchone() == (shown["V"], shown["V"])
    assert "relation_times" not in shown


def test_change_that_is_rolled_back_is_not_told(cursor):
    before = times(cursor)
    cursor.execute("begin")
    cursor.execute("insert into t values (2, 'y')")
    cursor.execute("rollback")
    with pytest.raises(ProgrammingError):
        cursor.execute("insert into t select b, b from t")
    cursor.execute("begin")
    cursor.execute("insert into t values (2, 'y')")
    for failing in ("insert into t select b, b from t", "commit"):
        with pytest.raises(ProgrammingError):
            cursor.execute(failing)
    cursor.execute("insert into other values (1, 'x')")
    assert times(cursor) == before


def test_change_in_a_transaction_is_told_at_its_commit(cursor, warehouse, database):
    cursor.execute("begin")
    cursor.execute("insert into t values (2, 'y')")
    warehouse.rows("insert into t values (3, 'z')", database=database)
    with warehouse.connect(database=database) as other:
        before = times(other.cursor())
        cursor.execute("commit")
        assert times(other.cursor()).altered > before.altered


def test_sessions_that_load_one_table_at_once(cursor, warehouse, database):
    sessions, barrier = 6, Barrier(6)

    def load(number: int) -> datetime:
        with warehouse.connect(database=database) as own:
            mine = own.cursor()
            mine.execute(f"create table own_{number} (a int)")
            barrier.wait(60)
            for row in range(15):
                last = datetime.now(UTC)
                mine.execute(f"insert into t values ({row}, 'x')")
                mine.execute(f"insert into own_{number} values ({row})")
            assert times(mine, f"OWN_{number}").altered > last
            return last

    with ThreadPoolExecutor(sessions) as pool:
        last = max(pool.map(load, range(sessions)))
    assert last < times(cursor).altered < datetime.now(UTC)
    assert cursor.execute("select count(*) from t").fetchone() == (1 + 15 * sessions,)


@pytest.mark.programs
def test_times_outlive_the_server(tmp_path: Path):
    folder = tmp_path / "snowflake"
    try:
        with _connect(folder) as connection:
            connection.cursor().execute("create table t as select 1 as a")
            connection.cursor().execute("insert into t values (2)")
            before = times(connection.cursor())
        assert before.created < before.altered
        control.stop(folder)
        with _connect(folder) as connection:
            assert times(connection.cursor()) == before
    finally:
        control.stop(folder)


def _connect(folder: Path) -> snowflake.connector.SnowflakeConnection:
    state = control.ensure_running(folder)
    return snowflake.connector.connect(
        account="fakesnow", user="dp", password=state.token, host="127.0.0.1", port=state.port,
        protocol="http", database="RAW", schema="PUBLIC",
        login_timeout=20, network_timeout=30, socket_timeout=30,
    )  # fmt: skip


def test_superfluous_rows_go_when_a_database_is_opened():
    with duckdb.connect() as duck:
        prepare_relation_times(duck, "memory")
        duck.execute("CREATE TABLE memory.main.kept (a INT)")
        session = RelationTimes(duck)
        for name in ("kept", "dropped"):
            session.created(Name("memory", "main", name))
        session.write()
        for _ in range(1000):
            session.rows_changed(Name("memory", "main", "kept"))
            session.write()
        table = "memory._fs_information_schema.relation_times"
        expected = duck.execute(
            f"SELECT min(created), min(last_ddl), max(last_altered) FROM {table} "
            "WHERE relation_name = 'kept'"
        ).fetchall()
        prepare_relation_times(duck, "memory")
        kept = duck.execute(f"SELECT created, last_ddl, last_altered FROM {table}").fetchall()
        assert kept == expected


def test_database_that_is_not_there_is_an_error(cursor):
    with pytest.raises(ProgrammingError, match="Database 'MISSING' does not exist"):
        cursor.execute("select * from missing.information_schema.tables")

"""MERGE, compared with Snowflake's documentation."""

from __future__ import annotations

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError


@pytest.fixture
def cursor(connection: SnowflakeConnection):
    cursor = connection.cursor()
    cursor.execute("create table target (id int, v varchar, at date)")
    cursor.execute("insert into target (id, v) values (1, 'a'), (2, 'b'), (3, 'c')")
    return cursor


def test_each_clause_is_counted(cursor):
    cursor.execute(
        "merge into target t using (select column1 as id, column2 as v, column3 as gone from "
        "values (1, 'A', false), (2, null, true), (9, 'n', false), (8, 'skip', true)) s "
        "on t.id = s.id when matched and s.gone then delete "
        "when matched then update set t.v = s.v, at = current_date() "
        "when not matched and not s.gone then insert (id, v) values (s.id, s.v)"
    )
    assert [column.name for column in cursor.description] == [
        "number of rows inserted",
        "number of rows updated",
        "number of rows deleted",
    ]
    assert cursor.fetchall() == [(1, 1, 1)]
    assert cursor.rowcount == 3
    cursor.execute("select id, v, at is null from target order by id")
    assert cursor.fetchall() == [(1, "A", False), (3, "c", True), (9, "n", True)]


def test_two_source_rows_for_one_target_row_are_refused(cursor):
    with pytest.raises(ProgrammingError, match="Duplicate row detected") as refused:
        cursor.execute(
            "merge into target t using (select 1 as id, column1 as v from values ('x'), ('y')) s "
            "on t.id = s.id when matched then update set v = s.v"
        )
    assert refused.value.errno == 100090
    assert cursor.execute("select v from target where id = 1").fetchone() == ("a",)


def test_target_lies_in_another_database(cursor, database):
    cursor.execute("use database raw")
    cursor.execute("create temporary table source as select 1 as id, 'z' as v")
    cursor.execute(
        f"merge into {database}.public.target as d using source as s on s.id = d.id "
        'when matched then update set "V" = s."V" when not matched then insert ("ID") values (s.id)'
    )
    assert cursor.fetchall() == [(0, 1)]


def test_merge_in_a_transaction_rolls_back_with_it(cursor):
    cursor.execute("begin")
    cursor.execute(
        "merge into target t using (select 1 as id) s on t.id = s.id when matched then delete"
    )
    cursor.execute("rollback")
    assert cursor.execute("select count(*) from target").fetchone() == (3,)

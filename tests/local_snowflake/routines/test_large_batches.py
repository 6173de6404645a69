"""Functions over the rows of plain queries: the batches they get, and that nothing else changes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import DatabaseError, ProgrammingError

from local_snowflake.routines.large_batches import BATCH_BYTES, BATCH_ROWS
from tests.conftest import WarehouseUnderTest
from tests.local_snowflake.handlers import define, wait_until

ROWS = 70_000
SIZE = """
import pandas

def main(df):
    return df[0] * 0 + len(df)
main._sf_vectorized_input = pandas.DataFrame
"""
HALF = """
def main(x):
    return None if x is None or x % 10 == 0 else x / 2
"""


@pytest.fixture(scope="module")
def place(warehouse: WarehouseUnderTest) -> Iterator[str]:
    """A database with a table of 70,000 rows and functions, shared by the tests of this module."""
    name = f"B_{uuid.uuid4().hex[:8]}".upper()
    warehouse.rows(f"create database {name}")
    with warehouse.connect(database=name) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "create table numbers as select n, iff(n % 7 = 0, null, n) as m, n / 4 as q, "
            "n::number(12, 3) as d, 'it''s ' || n as \"a b\", n % 2 = 0 as e, "
            "dateadd(day, n % 1000, '2024-01-01'::date) as day, "
            "dateadd(second, n, '2024-01-01'::timestamp_ntz) as at1, "
            "dateadd(second, n, '2024-01-01 00:00:00 +0000'::timestamp_tz) as at2, "
            "to_binary('00FF', 'hex') as raw, object_construct('n', n) as v "
            f"from (select seq4() as n from table(generator(rowcount => {ROWS})))"
        )
        define(cursor, "size(n int)", "int", SIZE, kind="function")
        define(cursor, "half(n int)", "number(20, 1)", HALF, kind="function")
        define(cursor, "one()", "int", "def main():\n    return 1", kind="function")
    yield name
    warehouse.rows(f"drop database {name}")


@pytest.fixture
def cursor(warehouse: WarehouseUnderTest, place: str) -> Iterator[SnowflakeCursor]:
    with warehouse.connect(database=place) as connection:
        yield connection.cursor()


@pytest.mark.parametrize(
    "query",
    [
        "select n, size(n) as s from numbers",
        "select size(n) as s, n from numbers join (select 1 as one) on n <> one where half(n) > 0",
        "select * from (select * from (select n, size(n)::float as s from numbers))",
        "with few as (select n from numbers where n < 65000) select n, size(n) as s from few",
    ],
)
def test_functions_of_plain_queries_get_large_batches(cursor, query):
    cursor.execute(query)
    names = [column.name for column in cursor.description]
    rows = cursor.fetchall()
    assert len(rows) > BATCH_ROWS / 2
    assert max(row[names.index("S")] for row in rows) == min(len(rows), BATCH_ROWS)
    cursor.execute(f"create or replace table made as {query}")
    assert set(cursor.execute("select * from made").fetchall()) == set(rows)
    cursor.execute(
        f"create or replace table typed ({', '.join(f'{n} int' for n in names)}) as {query}"
    )
    assert cursor.execute("select max(s) from typed").fetchone() == (min(len(rows), BATCH_ROWS),)


def test_inserts_give_columns_by_their_position(cursor):
    cursor.execute("create or replace table target (a int, b float, c int)")
    cursor.execute("insert into target select n + 1, half(n), size(n) from (select * from numbers)")
    assert cursor.rowcount == ROWS
    cursor.execute("select min(a), max(a), sum(b), max(c) from target")
    halves = sum(n / 2 for n in range(ROWS) if n % 10)
    assert cursor.fetchone() == (1, ROWS, halves, BATCH_ROWS)


@pytest.mark.parametrize(
    "query",
    [
        "select size(n) as s from numbers where n < 5000 limit 10000",
        "select n, max(size(n)) as s from numbers where n < 5000 group by n",
        "select max(s) as s from (select size(n) as s from numbers where n < 5000)",
        "select s from (select iff(n > 10, size(n), 0) as s from numbers where n < 5000)",
        "select size(n) as s from numbers where n < 5000 order by s",
        "select size(n) as s from temporary_numbers",
        "select size(n) as s from numbers where n < ?",
    ],
)
def test_other_functions_get_batches_of_duckdb(warehouse, place, query):
    with warehouse.connect(database=place, paramstyle="qmark") as connection:
        cursor = connection.cursor()
        cursor.execute(
            "create temporary table temporary_numbers as select n from numbers where n < 5000"
        )
        cursor.execute(query, (5000,) if "?" in query else None)
        names = [column.name for column in cursor.description]
        largest = max(row[names.index("S")] for row in cursor.fetchall())
        # Which rows of a vector are left by `where` and `iff` is up to the order of the table.
        assert 1 < largest <= 2048


@pytest.mark.parametrize(
    "query",
    [
        'select n, m, q, d, "a b", e, day, at1, at2, raw, half(m) as h, one() as o from numbers',
        "select v, half(n) as h from numbers",
        "select half(half(n)) as h, half(m)::varchar as t from numbers where half(n) > 3",
        "select half(n) as m, half(m) as other from numbers",
        "select half(n) as h, n as n, n + 1 as next_n from numbers where n < 0",
        "select half(n), one() from numbers",
        "select one() from numbers",
        "select count(*) from (select half(n) as h from numbers)",
        "select half(n) as h, h + 1 as more from numbers where n < 100",
    ],
)
def test_a_transaction_in_which_duckdb_calls_them_gives_the_same(cursor, query):
    found = []
    for around in ([], ["begin", "rollback"]):
        for statement in around[:1]:
            cursor.execute(statement)
        rows = cursor.execute(query).fetchall()
        found.append(([column[:7] for column in cursor.description], rows))
        for statement in around[1:]:
            cursor.execute(statement)
    assert found[0] == found[1]


def test_wide_rows_come_in_smaller_batches(cursor):
    define(cursor, "wide(x string)", "int", SIZE.replace("df[0] * 0", "df.index * 0"))
    rows = BATCH_BYTES // 10_000
    cursor.execute(f"select wide(repeat('x', 10000)) as s from numbers where n < {2 * rows}")
    sizes = [size for (size,) in cursor.fetchall()]
    assert len(sizes) == 2 * rows
    assert max(sizes) < 1.7 * rows


def test_batches_that_a_function_limits_give_results_in_their_order(cursor):
    body = """
import pandas
from _snowflake import vectorized

@vectorized(input=pandas.DataFrame, max_batch_size=100)
def main(df):
    return df[0].map(lambda n: len(df) * 1000 + n / 4) if df[0].max() != 777 else df[0][:1]
"""
    define(cursor, "limited(x int)", "number(20, 2)", body)
    cursor.execute("select n, limited(n) as s from numbers where n < 250")
    expected = [(n, (100 if n < 200 else 50) * 1000 + n / 4) for n in range(250)]
    assert cursor.fetchall() == expected
    with pytest.raises(ProgrammingError, match="has returned 1 results for 78 rows"):
        cursor.execute("select limited(n) as s from numbers where n < 778")


def test_what_fails_late_leaves_nothing_and_says_why(cursor):
    cursor.execute("create or replace table kept (a float)")
    body = f"def main(x):\n    return 1 / (x - {ROWS - 1})"
    define(cursor, "late(x int)", "float", body)
    with pytest.raises(ProgrammingError, match=r"(?s)Traceback.*line 3, in main.*ZeroDivision"):
        cursor.execute("insert into kept select late(n) from numbers")
    failing = f"""iff(n = {ROWS - 1}, 'x', n::varchar)::int"""
    with pytest.raises(ProgrammingError, match="Could not convert string 'x' to INT64") as caught:
        cursor.execute(f"insert into kept select half({failing}) from numbers")
    assert caught.value.errno == 100038
    with pytest.raises(ProgrammingError, match="Division by zero") as caught:
        cursor.execute(f"insert into kept select half(1 / (n - {ROWS - 1})) from numbers")
    assert caught.value.errno == 100051
    with pytest.raises(ProgrammingError, match="NO_SUCH"):
        cursor.execute("insert into kept select half(no_such) from numbers")
    assert cursor.execute("select count(*) from kept").fetchone() == (0,)


def test_a_large_batch_is_cancelled(cursor, tmp_path: Path):
    begun = tmp_path / "begun"
    body = f"import pathlib, time\ndef main(x):\n    pathlib.Path({str(begun)!r}).touch()\n"
    define(cursor, "slow(x int)", "int", f"{body}    time.sleep(1)")
    cursor.execute("create or replace table kept (a int)")
    cursor.execute_async("insert into kept select slow(n) from numbers")
    query = cursor.sfqid
    wait_until(begun.exists)
    connection = cursor.connection
    connection.rest.request(f"/queries/{query}/abort-request", {}, method="post")
    wait_until(lambda: not connection.is_still_running(connection.get_query_status(query)))
    with pytest.raises(DatabaseError, match="000604"):
        cursor.get_results_from_sfqid(query)
    assert cursor.execute("select count(*), max(half(a)) from kept").fetchone() == (0, None)


def test_reading_the_arguments_is_cancelled(cursor):
    cursor.execute_async(
        "select half(a.n) as h from numbers a, numbers b, numbers c where a.n + b.n + c.n < 0"
    )
    query, connection = cursor.sfqid, cursor.connection
    connection.rest.request(f"/queries/{query}/abort-request", {}, method="post")
    wait_until(lambda: not connection.is_still_running(connection.get_query_status(query)))
    assert cursor.execute("select 1").fetchone() == (1,)

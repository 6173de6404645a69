"""Snowflake's SQL and types, through snowflake-connector-python."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError


@pytest.fixture
def cursor(connection: SnowflakeConnection):
    return connection.cursor()


def one(cursor, sql: str) -> tuple[object, ...]:
    (row,) = cursor.execute(sql).fetchall()
    return row


def test_values_come_back_as_they_were_bound(warehouse, database):
    values = (
        *(7, Decimal("12345678901234.56"), 1.5, "ä'\\n", True, b"\x00\xff"),
        *(date(2024, 2, 29), time(12, 34, 56, 789000)),
        *(datetime(2024, 1, 2, 3, 4, 5, 678901), None),  # noqa: DTZ001 - TIMESTAMP_NTZ has no zone
    )
    with warehouse.connect(database=database, paramstyle="qmark") as connection:
        cursor = connection.cursor()
        cursor.execute(
            "create table t (a number(38,0), b number(20,2), c float, d varchar, e boolean, "
            "f binary, g date, h time, i timestamp_ntz, j int)"
        )
        cursor.execute(f"insert into t values ({', '.join('?' * len(values))})", values)
        assert one(cursor, "select * from t") == values
        frame = cursor.execute("select a, b, c, d, g, i, j from t").fetch_pandas_all()
    assert frame["A"].tolist() == [7]
    assert frame["B"].tolist() == [12345678901234.56]
    assert frame["I"][0].to_pydatetime() == values[8]
    assert frame["J"].isna().all()


def test_timestamps_with_zones_are_the_same_instant(cursor):
    cursor.execute("create table t (ltz timestamp_ltz, tz timestamp_tz)")
    cursor.execute("insert into t select '2024-01-02 03:04:05+02:00', '2024-01-02 03:04:05+02:00'")
    instant = datetime(2024, 1, 2, 1, 4, 5, tzinfo=UTC)
    assert one(cursor, "select * from t") == (instant, instant)


def test_semi_structured_values_are_json_text(cursor):
    cursor.execute("create table t (v variant, a array, o object)")
    cursor.execute(
        """insert into t select parse_json('{"x": [1, "two"]}'), array_construct(1, 'b'),
        object_construct('k', 1)"""
    )
    assert one(cursor, "select * from t") == ('{"x":[1,"two"]}', '[1,"b"]', '{"k":1}')
    path = "select v:x[0]::int, v:x[1]::string, a[1]::string, o:k::number(5,1), v:none from t"
    assert one(cursor, path) == (1, "two", "b", Decimal("1.0"), None)


def test_json_is_read_from_texts_and_from_variants_that_are_texts(cursor):
    cursor.execute("""create table t as select to_variant('{"a": 1}') as v, '{"a": 2}' as s""")
    assert one(cursor, "select v:a, parse_json(v):a::int, parse_json(s):a::int from t") == (
        None, 1, 2,
    )  # fmt: skip
    tried = "select parse_json(' '), try_parse_json('no'), try_parse_json(v) from t"
    assert one(cursor, tried) == (None, None, '{"a":1}')


def test_numbers_of_38_digits_and_of_19(cursor):
    cursor.execute("create table t (wide number(38, 0), long number(19, 0))")
    cursor.execute("alter table t add column more number(38,0), longer number(19)")
    values = (int("9" * 38), 2**63 - 1, -int("9" * 38), -(2**63))
    cursor.execute("insert into t values ({}, {}, {}, {})".format(*values))
    assert one(cursor, "select * from t") == values
    kinds = [row[1] for row in cursor.execute("describe table t")]
    assert kinds == ["NUMBER(38,0)", "NUMBER(19,0)"] * 2
    cursor.execute("update t set long = 2")
    assert one(cursor, "select substr('abc', long), repeat('x', long) from t") == ("bc", "xx")


def test_flatten_makes_a_row_per_element(cursor):
    cursor.execute("""create table t as select 1 as id, parse_json('[{"n": 5}, {"n": 6}]') as j""")
    rows = cursor.execute(
        "select t.id, f.index, f.value:n::int from t, lateral flatten(input => t.j) f order by 2"
    ).fetchall()
    assert rows == [(1, 0, 5), (1, 1, 6)]


def test_sums_of_integers_are_exact_and_texts_are_cast(cursor):
    cursor.execute("create table t (a int, b number(10,2), c varchar)")
    cursor.execute("insert into t values (9007199254740993, 1.25, '7'), (1, 2.5, '8')")
    assert one(cursor, "select sum(a), sum(b) from t") == (9007199254740994, Decimal("3.75"))
    assert one(cursor, "select sum(c) from t") == (15,)
    cursor.execute("create table s as select sum(a) as a from t")
    assert cursor.execute("describe table s").fetchone()[1] == "NUMBER(38,0)"


def test_columns_without_a_name_are_called_by_their_text(cursor):
    cursor.execute("create table t (a int)")
    cursor.execute("select count(*), sum(a), 'x', a from t group by a")
    assert [c.name for c in cursor.description] == ["COUNT(*)", "SUM(A)", "'X'", "A"]


def test_words_of_duckdbs_language_are_names(cursor):
    cursor.execute("create table t (at timestamp, end int, desc_ int, offset int, pivot int)")
    cursor.execute("insert into t (at, end) values ('2024-01-01', 1)")
    cursor.execute("update t set end = 2 where t.at > '2023-01-01'")
    cursor.execute("select at, t.end as end from t qualify row_number() over (order by at) = 1")
    assert [c.name for c in cursor.description] == ["AT", "END"]
    assert cursor.fetchone()[1] == 2


def test_columns_of_values_by_position_and_by_name(cursor):
    rows = [(1, "a"), (2, "b")]
    values = "from values (1, 'a'), (2, 'b')"
    assert cursor.execute(f"select $1, $2 {values}").fetchall() == rows
    assert cursor.execute(f"select t.$1, column2 {values} as t").fetchall() == rows


def test_bind_variables_in_values_are_described(warehouse, database):
    with warehouse.connect(database=database, paramstyle="qmark") as connection:
        cursor = connection.cursor()
        query = "select $1 as a, $2 as b from values (? :: int, ? :: string)"
        assert [c.name for c in cursor.describe(query, (1, "x"))] == ["A", "B"]
        assert cursor.execute(query, (1, "x")).fetchall() == [(1, "x")]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("dateadd(day, 1, '2024-02-28'::date)", date(2024, 2, 29)),
        ("datediff(month, '2024-01-31'::date, '2024-03-01'::date)", 2),
        ("date_trunc('month', '2024-02-29'::date)", date(2024, 2, 1)),
        ("to_timestamp('2024-01-01 02:03:04')", datetime(2024, 1, 1, 2, 3, 4)),  # noqa: DTZ001 - NTZ
        ("to_char('2024-01-02'::date, 'DD/MM/YYYY')", "02/01/2024"),
        ("iff(1 > 2, 'a', 'b')", "b"),
        ("nvl(null, 5)", 5),
        ("zeroifnull(null)", 0),
        ("try_cast('x' as int)", None),
        ("'78'::binary", b"x"),
        ("object_keys(object_construct('a', 1))", '["a"]'),
        ("{'a': 1}:a::int", 1),
        ("split_part('a-b', '-', 2)", "b"),
        ("12345678901234567890123456", 12345678901234567890123456),
        ("regexp_replace('a1b2', '[0-9]', '')", "ab"),
        ("ltrim('0a0', '0') || rtrim(' b ') || trim('xcx', 'x')", "a0 bc"),
        ("try_to_timestamp('x')", None),
        ("div0(1, 0) + 7 / 2", 3.5),
        (
            "to_char('2024-01-02 03:04'::timestamp, 'dd.' || ('mm ' || 'hh24') || 'UTC')",
            "02.01 03UTC",
        ),
        ("to_date('02/01/2024', 'dd/' || 'mm/yyyy')::varchar", "2024-01-02"),
        (
            "to_timestamp('02/01/24 03', concat('dd/mm', '/yy') || ' hh24')::varchar",
            "2024-01-02 03:00:00",
        ),
    ],
)
def test_functions(cursor, expression, value):
    assert one(cursor, f"select {expression}") == (value,)


def test_formats_of_times_in_columns_count(cursor):
    cursor.execute(
        "create table t as select '2024-01-02 13:04:05.678'::timestamp as ts, "
        "'2024-01-02'::date as d, '13:04'::time as clock, 5 as n, "
        "'2024-01-02 13:04:05+02:00'::timestamp_tz as tz"
    )
    query = (
        "select to_char(ts, 'HH24'), to_varchar(ts, 'yyyymmdd hh24:mi:ss.ff3'), "
        "to_char(d, 'Mon dd, YYYY'), to_char(clock, 'HH12:MI AM'), to_char(tz, 'HH24'), "
        "to_char('2024-01-02'::date, 'dy dd.MM.yy'), to_char(d, 'YYYY-MM-DD\"T\"HH24'), "
        "to_char(null, 'YYYY'), to_char(n), to_varchar(ts, 'YYYY-' || 'MM')"
    )
    assert one(cursor, query + " from t") == (
        *("13", "20240102 13:04:05.678", "Jan 02, 2024", "01:04 PM", "11", "Tue 02.01.24"),
        *("2024-01-02T00", None, "5", "2024-01"),
    )


@pytest.mark.parametrize(
    "call",
    ["to_char(n, '999')", "to_char(ts, 'TZH')", "to_char(ts, f)", "to_char('x', 'base64')"],
)
def test_formats_that_are_not_here_are_refused(cursor, call):
    cursor.execute("create table t as select 5 as n, current_timestamp() as ts, 'YYYY' as f")
    with pytest.raises(ProgrammingError, match=r"TO_CHAR .* is not in the embedded warehouse"):
        cursor.execute(f"select {call} from t")


def test_zones_are_converted_from_the_sessions(cursor):
    query = (
        "select convert_timezone('America/New_York', '2024-01-02 13:00:00'::timestamp_ntz), "
        "convert_timezone('America/New_York', '2024-01-02 13:00:00+02:00'::timestamp_tz), "
        "convert_timezone('Europe/Berlin', 'America/New_York', '2024-01-02 13:00:00')"
    )
    expected = (datetime(2024, 1, 2, 8), datetime(2024, 1, 2, 6), datetime(2024, 1, 2, 7))  # noqa: DTZ001 - NTZ
    assert one(cursor, query) == expected


def test_division_by_zero_is_an_error(cursor):
    with pytest.raises(ProgrammingError, match="Division by zero"):
        cursor.execute("select column1 / column2 from values (1, 0)")


def test_dates_stay_dates(cursor):
    cursor.execute(
        "create table t as select '2024-02-29'::date as d, '2024-02-29'::timestamp as ts"
    )
    query = "select dateadd(year, 1, d), date_trunc('week', d), dateadd(hour, 1, d) from t"
    assert one(cursor, query) == (date(2025, 2, 28), date(2024, 2, 26), datetime(2024, 2, 29, 1))  # noqa: DTZ001 - NTZ
    assert one(cursor, "select date_trunc('month', ts) from t") == (datetime(2024, 2, 1),)  # noqa: DTZ001 - NTZ


def test_listagg_in_order(cursor):
    query = "select listagg(column1, ',') within group (order by column1) from values ('b'), ('a')"
    assert one(cursor, query) == ("a,b",)


def test_results_of_many_rows_come_in_one_piece(cursor):
    cursor.execute(
        "select seq4() as n, 'row ' || seq4() as t from table(generator(rowcount => 200000))"
    )
    table = cursor.fetch_arrow_all()
    assert table.num_rows == 200_000
    assert table.column("N")[199_999].as_py() == 199_999

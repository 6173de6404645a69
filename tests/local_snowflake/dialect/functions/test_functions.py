"""Functions whose results are as Snowflake's documentation says, and those that are refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import ProgrammingError

from tests.conftest import WarehouseUnderTest, new_database


@pytest.fixture
def cursor(connection: SnowflakeConnection):
    return connection.cursor()


@pytest.fixture(scope="module")
def row(warehouse: WarehouseUnderTest) -> Iterator[SnowflakeCursor]:
    """A cursor with the table T of one row, of all types."""
    with new_database(warehouse) as name, warehouse.connect(database=name) as connection:
        cursor = connection.cursor()
        _create_row(cursor)
        yield cursor


def _create_row(cursor: SnowflakeCursor) -> None:
    cursor.execute(
        "create table t (id int, a array, o object, v variant, f float, n number(38,0), "
        "d number(10,2), s varchar, dt date, ts timestamp_ntz, b boolean)"
    )
    cursor.execute(
        """insert into t select 1, array_construct(3,1,20), object_construct('k',1,'z','y'),
        parse_json('{"x":[1,2],"s":"str","n":10,"m":9}'), 2.5, 5, 2.345, '12.5', '2024-01-31',
        '2024-01-31 10:00:00', true"""
    )


def one(cursor, sql: str) -> object:
    ((value,),) = cursor.execute(sql).fetchall()
    return value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("array_slice(a, 0, 2)", "[3,1]"),
        ("array_slice(a, 0, -1)", "[3,1]"),
        ("array_append(a, 9)", "[3,1,20,9]"),
        ("array_prepend(a, 'x')", '["x",3,1,20]'),
        ("array_cat(a, v:x)", "[3,1,20,1,2]"),
        ("array_compact(a)", "[3,1,20]"),
        ("array_size(array_distinct(array_cat(a, a)))", 3),
        ("array_insert(a, 0, 9)", "[9,3,1,20]"),
        ("array_remove(a, 1::variant)", "[3,20]"),
        ("array_remove_at(a, 0)", "[1,20]"),
        ("array_reverse(a)", "[20,1,3]"),
        ("array_intersection(a, array_construct(1, 9))", "[1]"),
        ("array_except(a, array_construct(1))", "[3,20]"),
        ("arrays_overlap(a, array_construct(1))", True),
        (
            "arrays_zip(a, array_construct(1, 2, 3))",
            '[{"$1":3,"$2":1},{"$1":1,"$2":2},{"$1":20,"$2":3}]',
        ),
        ("array_contains(1::variant, a)", True),
        ("array_contains('12.5'::variant, split(s, ','))", True),
        ("array_contains('str'::variant, array_construct(v:s))", True),
        ("array_position(1::variant, a)", 1),
        ("array_position('z'::variant, a)", None),
        ("array_sort(a)", "[1,3,20]"),
        ("array_sort(a, false)", "[20,3,1]"),
        ("array_max(a)", "20"),
        ("array_min(a)", "1"),
        ("array_to_string(a, ',')", "3,1,20"),
        ("array_to_string(split('a,b', ','), '-')", "a-b"),
        ("array_flatten(array_construct(a, v:x))", "[3,1,20,1,2]"),
        ("array_construct(id, f, s)", '[1,2.5,"12.5"]'),
        ("array_construct(1, null)::varchar", "[1,null]"),
        ("array_generate_range(0, 3)::varchar", "[0,1,2]"),
        ("strtok_to_array('a.b', '.')::varchar", '["a","b"]'),
        ("regexp_substr_all('a1b2', '[0-9]')", '["1","2"]'),
        ("to_array(a)", "[3,1,20]"),
        ("to_array(s)", '["12.5"]'),
        ("object_keys(o)", '["k","z"]'),
        ("typeof(v)", "OBJECT"),
        ("typeof(v:s)", "VARCHAR"),
        ("typeof(v:n)", "INTEGER"),
        ("typeof(v:none)", None),
        ("typeof(parse_json('null'))", "NULL_VALUE"),
        ("typeof('x')", "VARCHAR"),
        ("is_object(o) and not is_object(a)", True),
        ("is_integer(v:n) and is_varchar(v:s)", True),
        ("as_integer(v:s)", None),
        ("as_varchar(v:s)", "str"),
    ],
)
def test_arrays_and_variants(row, expression, value):
    assert one(row, f"select {expression} from t") == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("v:s || '!'", "str!"),
        ("concat(v:s, id)", "str1"),
        ("get(o, 'z')::varchar", "y"),
        ("to_varchar(v:s)", "str"),
        ("length(v:s)", 3),
        ("v:s like 'st%'", True),
        ("v:s = 'str'", True),
        ("v:s in ('str', 'x')", True),
        ("replace(v:s, 's', 'x')", "xtr"),
        ("split_part(v:s, 't', 1)", "s"),
        ("v::varchar", '{"x":[1,2],"s":"str","n":10,"m":9}'),
        ("to_variant('a')::varchar", "a"),
        ("2.0::float::varchar || (f * 2)", "25"),
        ("'' || f", "2.5"),
        ("d::varchar", "2.35"),
        ("left(dt, 4) || substr(id, 1)", "20241"),
        ("lpad(id, 3, '0')", "001"),
        ("id like '1%' and contains(id, '1')", True),
        ("md5(id)", "c4ca4238a0b923820dcc509a6f75849b"),
        ("X'6162'::varchar", "6162"),
        ("length(X'6162') + octet_length('ä')", 4),
        ("sha1(X'61') = sha1('a')", True),
        ("hex_encode('a') || base64_encode(X'61')", "61YQ=="),
        ("to_binary('6162')::varchar", "6162"),
        ("to_binary('ab', 'utf-8')::varchar", "6162"),
        ("to_binary('YWI=', 'base64')::varchar", "6162"),
        ("try_to_binary('zz')", None),
        ("concat_ws('|', id, f, dt, b)", "1|2.5|2024-01-31|true"),
        ("concat(nullif(id, 1), 'a')", None),
    ],
)
def test_texts(row, expression, value):
    assert one(row, f"select {expression} from t") == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("f::int", 3),
        ("(f - 2)::int", 1),
        ("(-f)::number", -3),
        ("to_number(f)", 3),
        ("try_cast(s as int)", 13),
        ("n::int + d::int", 7),
        ("v:n::int", 10),
        ("sum(id::int)", 1),
        ("avg(f)::int", 3),
        ("bitand(n, 4) + bitor(n, 2) + bitxor(n, 1)", 15),
        ("width_bucket(f, 0, 10, 5)", 2),
        ("width_bucket(n, 0, 5, 5)", 6),
        ("div0(n, 0)", 0),
        ("hash(id, s) = hash(1, '12.5')", True),
        ("date_part(epoch, ts) || ''", "1706695200"),
    ],
)
def test_numbers(row, expression, value):
    assert one(row, f"select {expression} from t") == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("dt + interval '1 day'", date(2024, 2, 1)),
        ("dt - interval '1 month'", date(2023, 12, 31)),
        ("dt + interval '1 hour'", "2024-01-31 01:00:00"),
        ("ts + interval '1 day'", "2024-02-01 10:00:00"),
        ("add_months(dt, 1)", date(2024, 2, 29)),
        ("add_months(ts, 1)", "2024-02-29 10:00:00"),
        ("time_slice(ts, 4, 'day')", "2024-01-30 00:00:00"),
        ("time_slice(ts, 15, 'minute', 'end')", "2024-01-31 10:15:00"),
        ("time_slice(ts, 1, 'week')", "2024-01-29 00:00:00"),
        ("to_timestamp('1704067200')", "2024-01-01 00:00:00"),
        ("to_timestamp('1704067200123')", "2024-01-01 00:00:00.123000"),
        ("to_timestamp('1704067200000000')", "2024-01-01 00:00:00"),
        ("to_timestamp('1704067200000000000')", "2024-01-01 00:00:00"),
    ],
)
def test_dates(row, expression, value):
    result = one(row, f"select {expression} from t")
    assert (result if isinstance(value, date) else str(result)) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("listagg(s) within group (order by x)", "pqr"),
        ("listagg(s, ',') within group (order by s desc)", "r,q,p"),
        ("array_agg(s) within group (order by x)", '["p","q","r"]'),
        ("array_sort(array_agg(s))", '["p","q","r"]'),
        ("max_by(g, x, 2)", '["b","a"]'),
        ("hll(x)", 3),
        ("count(distinct g, x)", 3),
    ],
)
def test_aggregates(cursor, expression, value):
    cursor.execute(
        "create table n as select column1 as g, column2 as x, column3 as s "
        "from values ('a', 1, 'p'), ('a', 2, 'q'), ('a', 2, null), ('b', 4, 'r')"
    )
    assert one(cursor, f"select {expression} from n") == value


def test_aggregates_of_no_rows(cursor):
    query = "select listagg(column1, ','), array_agg(column1) from values (1) where column1 = 2"
    assert cursor.execute(query).fetchall() == [("", "[]")]


def test_ratio_to_report_is_the_share_of_the_window(cursor):
    query = (
        "select ratio_to_report(column2) over (partition by column1) "
        "from values ('a', 1), ('a', 3), ('b', 5) order by column2"
    )
    assert cursor.execute(query).fetchall() == [(0.25,), (0.75,), (1.0,)]


def test_numbers_in_variants_are_ordered_as_numbers(row):
    assert one(row, "select v:n > v:m from t") is True
    row.execute("create table r as select parse_json(column1) as v from values ('10'), ('9')")
    row.execute("create table w as select object_construct('n', v) as o from r")
    assert [n for (n,) in row.execute("select o:n::int from w order by o:n").fetchall()] == [9, 10]
    assert row.execute("select max(o:n), min(o:n) from w").fetchall() == [("10", "9")]


def test_flatten_has_a_path_and_outer_rows(cursor):
    cursor.execute(
        """create table j as select column1 as id, parse_json(column2) as v
        from values (1, '{"x": [5, 6]}'), (2, '{"x": []}'), (3, '{}')"""
    )
    query = "select id, f.index, f.value::int from j, lateral flatten({}) f order by 1, 2"
    rows = [(1, 0, 5), (1, 1, 6)]
    assert cursor.execute(query.format("input => v, path => 'x'")).fetchall() == rows
    outer = cursor.execute(query.format("input => v:x, outer => true")).fetchall()
    assert outer == [*rows, (2, None, None), (3, None, None)]


def test_flatten_takes_columns_of_any_name(cursor):
    cursor.execute("""create table j as select parse_json('[[1, 2]]') as value, 1 as key""")
    query = (
        "select g.index, g.value::int from j, lateral flatten(input => value) f, "
        "lateral flatten(input => f.value) g order by 1"
    )
    assert cursor.execute(query).fetchall() == [(0, 1), (1, 2)]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select count(t.*) from t", r"COUNT\(table\.\*\) is not .*: DuckDB's counts every row"),
        ("select approx_top_k(id, 1) from t", "APPROX_TOP_K is not in the embedded warehouse: "),
        ("select hash_agg(distinct id) from t", r"HASH_AGG\(DISTINCT value\) is not in the"),
        (
            "select * from table(flatten(input => (select a from t), recursive => true))",
            "FLATTEN with RECURSIVE => TRUE",
        ),
        ("select time_slice(ts, 2, 'week') from t", "TIME_SLICE of several weeks"),
        ("select to_binary(s, 'x') from t", "TO_BINARY with the format"),
        ("select upper(X'61')", "function of a binary value is not in the embedded warehouse"),
    ],
)
def test_what_would_be_wrong_is_refused(row, query, message):
    with pytest.raises(ProgrammingError, match=message):
        row.execute(query)


ROWS = "(select column1 as a, column2 as b from values {})"


@pytest.mark.parametrize("arguments", ["a, b", "*", "b"])
@pytest.mark.parametrize(
    ("rows", "others", "equal"),
    [
        ("(1, 'x'), (2, null), (2, null)", "(2, null), (1, 'x'), (2, null)", True),
        ("(1, 'x'), (2, null)", "(1, 'x'), (2, '')", False),
        ("(1, 'x'), (2, null), (2, null)", "(1, 'x'), (2, null)", False),
        ("(1, 'x'), (2, 'y')", "(1, 'y'), (2, 'z')", False),
    ],
)
def test_hash_agg_tells_rows_apart_whatever_their_order(row, arguments, rows, others, equal):
    sql = f"select hash_agg({arguments}) from {ROWS}"
    found = one(row, sql.format(rows))
    assert isinstance(found, int)
    assert (found == one(row, sql.format(others))) is equal


def test_hash_agg_of_no_rows_is_0(row):
    assert one(row, "select hash_agg(id, s, o, dt, ts) from t where false") == 0
    assert one(row, "select hash_agg(*) from t") != 0

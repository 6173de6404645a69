"""COPY INTO from JSON and parquet, named formats, INFER_SCHEMA, and write_pandas."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from snowflake.connector.errors import ProgrammingError
from snowflake.connector.pandas_tools import write_pandas

COLUMNS = (
    "id number, name varchar, v variant, ts timestamp_ntz, tz timestamp_tz, d date, f float, "
    "n number(38,9), ok boolean, b binary, t time"
)
STAMP = dt.datetime.fromisoformat("2020-01-01T01:02:03.123456")
ROW = (
    1, 'a\n"é', {"x": [1, None]}, STAMP, STAMP.replace(tzinfo=dt.UTC), dt.date(2020, 2, 29), 1.5,
    Decimal("12345678901234567890.123456789"), True, b"\x00\xff", dt.time(1, 2, 3),
)  # fmt: skip
LOADED = (*ROW[:2], '{"x":[1,null]}', *ROW[3:])


@pytest.fixture(scope="module")
def connection(warehouse):
    """One for all tests, in a database of its own; they begin with an empty stage."""
    warehouse.rows("create database copy_formats")
    with warehouse.connect(database="COPY_FORMATS") as opened:
        yield opened
    warehouse.rows("drop database copy_formats")


@pytest.fixture
def cursor(connection):
    cursor = connection.cursor()
    cursor.execute("create or replace stage s")
    cursor.execute(f"create or replace table t ({COLUMNS})")
    return cursor


@pytest.fixture
def put(cursor, tmp_path: Path) -> Callable[[str, str | pa.Table], None]:
    """Puts a file into the stage."""

    def run(name: str, content: str | pa.Table) -> None:
        path = tmp_path / name
        if isinstance(content, str):
            path.write_text(content)
        else:
            pq.write_table(content, path)
        cursor.execute(f"put file://{path} @s auto_compress = false")

    return run


@pytest.fixture
def parquet(put) -> None:
    """The stage has a parquet file with `ROW`, in other words and another order than the table."""
    names = ["ID", "name", "v", "Ts", "tz", "d", "f", "n", "ok", "b", "t"]
    columns = {name: [value] for name, value in zip(names, ROW, strict=True)}
    columns["extra"] = [1]
    put("rows.parquet", pa.table(dict(reversed(columns.items()))))


def test_json_lines_by_column_name(cursor, put):
    texts = {
        "ID": 1, "name": ROW[1], "V": ROW[2], "ts": STAMP.isoformat(), "tz": f"{STAMP}+00:00",
        "d": "2020-02-29", "f": 1.5, "n": str(ROW[7]), "ok": True,
        "b": base64.b64encode(ROW[9]).decode(), "t": "01:02:03", "extra": {},
    }  # fmt: skip
    put("rows.jsonl", json.dumps(texts) + "\n" + json.dumps({"id": 2, "name": "", "v": None}))
    result = cursor.execute(
        "copy into t from '@s/rows.jsonl' file_format = (type = 'JSON', binary_format = 'BASE64') "
        "match_by_column_name = 'CASE_INSENSITIVE'"
    ).fetchall()
    assert result == [("s/rows.jsonl", "LOADED", 2, 2, 1, 0, None, None, None, None)]
    assert cursor.execute("select * from t order by id").fetchall() == [
        LOADED,
        (2, "", *[None] * 9),
    ]


def test_json_array_and_key_whose_case_differs(cursor, put):
    put("rows.json", '[{"id": 1, "Name": "a"}, {"ID": 2, "NAME": "b"},\n {"id": 3}]')
    cursor.execute(
        "copy into t from @s file_format = (type = json strip_outer_array = true) "
        "match_by_column_name = case_insensitive"
    )
    rows = cursor.execute("select id, name from t order by id").fetchall()
    assert rows == [(1, "a"), (2, "b"), (3, None)]


@pytest.mark.parametrize("content", ["{}\n", '{"other": 1}\n'])
def test_json_without_any_column_gives_rows_of_nulls(cursor, put, content):
    put("rows.jsonl", content)
    cursor.execute(
        "copy into t from @s file_format = (type = json) match_by_column_name = case_insensitive"
    )
    assert cursor.execute("select id, name from t").fetchall() == [(None, None)]


def test_json_into_one_variant(cursor, put):
    put("rows.json", '[{"a": null}, 2] {"a": 3}')
    cursor.execute("create or replace table j (v variant)")
    cursor.execute("copy into j from @s file_format = (type = json)")
    cursor.execute(
        "copy into j from @s file_format = (type = json strip_outer_array = true "
        "strip_null_values = true) force = true"
    )
    rows = cursor.execute("select v from j").fetchall()
    assert [json.loads(row[0]) for row in rows] == [
        [{"a": None}, 2], {"a": 3}, {}, 2, {"a": 3},
    ]  # fmt: skip
    with pytest.raises(ProgrammingError, match="one and only one column"):
        cursor.execute("copy into t from @s file_format = (type = json)")


def test_json_by_path(cursor, put):
    put("rows.json", '{"a": {"b": ["x", "y"]}, "n": "7"}\n')
    cursor.execute(
        "copy into t (name, id) from (select $1:a.b[1]::string, f.$1:n::int from @s f) "
        "file_format = (type = json)"
    )
    assert cursor.execute("select id, name from t").fetchall() == [(7, "y")]


def test_parquet_by_column_name(cursor, parquet):
    cursor.execute(
        "COPY INTO t FROM '@s/rows.parquet' FILE_FORMAT = (TYPE = 'PARQUET', "
        "BINARY_AS_TEXT = FALSE, USE_LOGICAL_TYPE = TRUE) MATCH_BY_COLUMN_NAME='CASE_INSENSITIVE'"
    )
    assert cursor.execute("select * from t").fetchall() == [LOADED]


def test_parquet_case_sensitive_takes_equal_names_only(cursor, parquet):
    cursor.execute(
        "copy into t from @s file_format = (type = parquet) match_by_column_name = case_sensitive"
    )
    assert cursor.execute("select id, name from t").fetchall() == [(1, None)]


def test_parquet_by_path(cursor, parquet):
    cursor.execute(
        'copy into t (id, name, v, ts, b, n) from (select $1:"ID"::number, $1:missing, t.$1:v, '
        '$1:"Ts"::timestamp_ntz, $1:b, $1:v:x[0] from @s/rows t) '
        "file_format = (type = parquet binary_as_text = false)"
    )
    rows = cursor.execute("select id, name, v, ts, b, n from t").fetchall()
    assert rows == [(1, None, LOADED[2], STAMP, ROW[9], Decimal(1))]


def test_text_in_parquet_for_a_variant_stays_a_text(cursor, put):
    put("rows.parquet", pa.table({"v": ['{"a": 1}', None]}))
    cursor.execute(
        "copy into t from @s file_format = (type = parquet) match_by_column_name = case_insensitive"
    )
    rows = cursor.execute(
        "select v:a, parse_json(v):a::int, try_parse_json(v):a::int from t order by 2 nulls last"
    ).fetchall()
    assert rows == [(None, 1, 1), (None, None, None)]


def test_named_format_and_the_stages_own(cursor, put):
    cursor.execute("create or replace file format psv type = csv field_delimiter = '|'")
    cursor.execute("create or replace stage s file_format = (format_name = 'psv')")
    cursor.execute("create or replace table p (a varchar, b varchar)")
    put("rows.psv", "1|x,y\n")
    cursor.execute("copy into p from @s")
    cursor.execute("copy into p from @s file_format = 'psv' force = true")
    cursor.execute("copy into p from @s file_format = (type = csv) force = true")
    assert cursor.execute("select * from p").fetchall() == [("1", "x,y")] * 2 + [("1|x", "y")]
    cursor.execute("drop file format psv")
    with pytest.raises(ProgrammingError, match=r"File format '.*PSV' does not exist"):
        cursor.execute("copy into p from @s force = true")


def test_infer_schema_of_parquet(cursor, parquet):
    cursor.execute("create or replace temporary file format pf type = parquet")
    rows = cursor.execute(
        "select column_name, type from table(infer_schema(location => '@s', file_format => 'pf'))"
    ).fetchall()
    assert dict(rows) == {
        "ID": "NUMBER(38, 0)", "name": "TEXT", "v": "OBJECT", "Ts": "TIMESTAMP_NTZ",
        "tz": "TIMESTAMP_TZ", "d": "DATE", "f": "REAL", "n": "NUMBER(29, 9)", "ok": "BOOLEAN",
        "b": "BINARY", "t": "TIME", "extra": "NUMBER(38, 0)",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "options", "expressions"),
    [
        (
            "Id,d,x\n1,2020-01-01,y\n",
            "type = csv parse_header = true",
            ["$1", "$2", "$3"],
        ),
        (
            '{"Id": 1, "d": "2020-01-01", "x": "y"}',
            "type = json",
            ["$1:Id", "$1:d", "$1:x"],
        ),
    ],
)
def test_infer_schema_of_text(cursor, put, content, options, expressions):
    put("rows", content)
    cursor.execute(f"create or replace file format tf {options}")
    rows = cursor.execute(
        "select column_name, type, expression from table(infer_schema(location => '@s', "
        "file_format => 'tf', ignore_case => true)) order by order_id"
    ).fetchall()
    kinds = {"ID": "NUMBER(38, 0)", "D": "DATE", "X": "TEXT"}
    assert rows == [
        (column, kind, f"{expression}::{kind}")
        for (column, kind), expression in zip(kinds.items(), expressions, strict=True)
    ]


def test_select_from_a_stage(cursor, put, parquet):
    put("a.csv", "1,x\n2,y\n")
    put("b.csv", "3\n")
    cursor.execute("create or replace file format cf type = csv")
    sql = (
        "select sum(f.$1::int) as s, max($2) as m, count(distinct metadata$filename) as n "
        "from @s (file_format => 'cf', pattern => '.*csv') f where f.$1::int > 1"
    )
    assert [column.name for column in cursor.describe(sql)] == ["S", "M", "N"]
    assert cursor.execute(sql).fetchall() == [(5, "y", 2)]
    assert cursor.execute("select 'mail from @bob'").fetchone() == ("mail from @bob",)
    cursor.execute("create or replace file format pf type = parquet")
    rows = cursor.execute("""select $1:"ID", $1:d from @s/rows (file_format => 'pf')""").fetchall()
    assert rows == [(1, dt.date(2020, 2, 29))]


def test_csv_by_column_name(cursor, put):
    put("rows.csv", "name,extra,ID\nx,1,7\n")
    cursor.execute(
        "copy into t from @s file_format = (type = csv parse_header = true) "
        "match_by_column_name = case_insensitive"
    )
    assert cursor.execute("select id, name from t").fetchall() == [(7, "x")]


def test_unloaded_parquet_is_loaded_again(cursor, parquet):
    by_name = "file_format = (type = parquet) match_by_column_name = case_insensitive"
    cursor.execute(f"copy into t from @s {by_name}")
    cursor.execute("copy into @s/out from t file_format = (type = parquet)")
    cursor.execute("create or replace table u like t")
    cursor.execute(f"copy into u from @s/out {by_name}")
    assert cursor.execute("select * from u").fetchall() == [LOADED]


@pytest.mark.parametrize("chunk_size", [None, 1])
def test_write_pandas_makes_a_table(connection, cursor, chunk_size):
    frame = pd.DataFrame({"a": [1, 2], "B b": ["x", None], "t": pd.to_datetime([STAMP, None])})
    for _ in range(2):
        succeeded, _, rows, _ = write_pandas(
            connection, frame, "frame", chunk_size=chunk_size, auto_create_table=True,
            overwrite=True, use_logical_type=True,
        )  # fmt: skip
        assert succeeded
        assert rows == 2
    found = cursor.execute('select * from "frame" order by "a"').fetchall()
    assert found == [(1, "x", STAMP), (2, None, None)]
    write_pandas(connection, frame, "frame", use_logical_type=True)
    assert cursor.execute('select count(*) from "frame"').fetchone() == (4,)

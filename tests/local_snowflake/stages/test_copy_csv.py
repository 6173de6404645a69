"""COPY INTO from CSV: what each option of the file format means, and what a failure leaves."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from snowflake.connector.errors import ProgrammingError

Load = Callable[..., list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def connection(warehouse):
    """One for all tests, in a database of its own; they begin with an empty stage."""
    warehouse.rows("create database copy_csv")
    with warehouse.connect(database="COPY_CSV") as opened:
        yield opened
    warehouse.rows("drop database copy_csv")


@pytest.fixture
def cursor(connection):
    cursor = connection.cursor()
    cursor.execute("create or replace stage s")
    return cursor


@pytest.fixture
def stage(cursor, tmp_path: Path) -> Callable[..., None]:
    """Puts files with the given contents into the stage."""

    def put(**contents: str | bytes) -> None:
        for name, content in contents.items():
            path = tmp_path / name
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            cursor.execute(f"put file://{path} @s auto_compress = false overwrite = true")

    return put


@pytest.fixture
def load(cursor, stage) -> Load:
    """Loads a file into a table with two text columns, and gives the rows."""

    def run(content: str | bytes, options: str, columns: str = "a varchar, b varchar"):
        stage(file=content)
        cursor.execute(f"create or replace table t ({columns})")
        cursor.execute(f"copy into t from @s/file file_format = (type = csv {options})")
        return cursor.execute("select * from t").fetchall()

    return run


QUOTED = "field_optionally_enclosed_by = '\"'"


@pytest.mark.parametrize(
    ("content", "options", "rows"),
    [
        ("1,x\n2,y\n", "", [("1", "x"), ("2", "y")]),
        ("1,x\r\n2,y", "", [("1", "x"), ("2", "y")]),
        ("h,h\n1,x\n", "skip_header = 1", [("1", "x")]),
        ("1|x\n", "field_delimiter = '|'", [("1", "x")]),
        ("1\x01x\n", "field_delimiter = '0x01'", [("1", "x")]),
        ("1::x\n", "field_delimiter = '::'", [("1", "x")]),
        ('"a""b","c\nd,é"\n', QUOTED, [('a"b', "c\nd,é")]),
        ("'a',b\n", "field_optionally_enclosed_by = ''''", [("a", "b")]),
        ('"a",b\n', "", [('"a"', "b")]),
        # Empty and NULL: what is enclosed is a text, also when it is empty.
        (',""\n', QUOTED, [(None, "")]),
        (',""\n', QUOTED + " empty_field_as_null = false", [("", "")]),
        ('\\N,"\\N"\n', QUOTED, [(None, None)]),
        ("NA,x\n", "null_if = ('NA', 'x')", [(None, None)]),
        (',""\n', QUOTED + " null_if = ('')", [(None, None)]),
        ("\\N,x\n", "null_if = () escape_unenclosed_field = none", [("\\N", "x")]),
        (" 1 , x\n", "trim_space = true", [("1", "x")]),
        ('"a\\"b",c\n', QUOTED + " escape = '\\\\'", [('a"b', "c")]),
        ("a\\tb,c\n", "escape_unenclosed_field = none", [("a\\tb", "c")]),
        ("caf\xe9,x\n".encode("latin-1"), "encoding = 'iso-8859-1'", [("café", "x")]),
        (b"caf\xe9,x\n", "replace_invalid_characters = true", [("caf\ufffd", "x")]),
        (gzip.compress(b"1,x\n", mtime=0), "", [("1", "x")]),
        (gzip.compress(b"1,x\n", mtime=0), "compression = gzip", [("1", "x")]),
        ("1\n2,x,z\n", "error_on_column_count_mismatch = false", None),
        ("1\n2,x\n", "error_on_column_count_mismatch = false", [("1", None), ("2", "x")]),
        ("\ufeff1,x\n", "", [("1", "x")]),
    ],
)  # fmt: skip
def test_option(load, content, options, rows):
    if rows is None:
        with pytest.raises(ProgrammingError, match="Number of Columns"):
            load(content, options)
    else:
        assert load(content, options) == rows


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("1\n", "", "Expected Number of Columns"),
        ("1,2,3\n", "", "Expected Number of Columns"),
        (b"caf\xe9,x\n", "", "(?i)unicode|utf"),
        ("a\\tb,c\n", "", "ESCAPE_UNENCLOSED_FIELD"),
        ("1,x\n", "record_delimiter = ';'", "RECORD_DELIMITER"),
        ("1,x\n", "compression = brotli", "COMPRESSION"),
        ("1,x\n", "skip_haeder = 1", "SKIP_HAEDER"),
        ("1,x\n", "encoding = 'klingon'", "ENCODING"),
    ],
)
def test_what_would_be_read_wrong_is_refused(load, content, options, message):
    with pytest.raises(ProgrammingError, match=message):
        load(content, options)


def test_texts_become_values_of_the_columns_types(load):
    rows = load(
        '1e3,1.005,1.5,on,2020-02-29,"2020-01-01 01:02:03.123456","2020-01-01 01:02:03 +0200",'
        '01:02:03,00ff,"{""a"": [1, null]}"\n' + ",".join(["\\N"] * 10) + "\n",
        QUOTED,
        "n number(38,0), d number(10,2), f float, b boolean, day date, ts timestamp_ntz, "
        "tz timestamp_tz, t time, bin binary, v variant",
    )
    assert rows == [
        (
            1000, Decimal("1.01"), 1.5, True, dt.date(2020, 2, 29),
            dt.datetime.fromisoformat("2020-01-01T01:02:03.123456"),
            dt.datetime(2019, 12, 31, 23, 2, 3, tzinfo=dt.UTC),
            dt.time(1, 2, 3), b"\x00\xff", '{"a": [1, null]}',
        ),
        (None,) * 10,
    ]  # fmt: skip


def test_formats_of_times_and_of_binary(load):
    rows = load(
        "31/12/2020,20201231T235959,AP8=\n",
        "date_format = 'DD/MM/YYYY' timestamp_format = 'YYYYMMDDTHH24MISS' binary_format = base64",
        "d date, ts timestamp_ntz, b binary",
    )
    late = dt.datetime.fromisoformat("2020-12-31T23:59:59")
    assert rows == [(dt.date(2020, 12, 31), late, b"\x00\xff")]


def test_query_over_the_files_as_sling_sends_it(cursor, stage):
    stage(file='id,name,day\n1,"a\nb",2020-01-01\n2,"",\\N\n')
    cursor.execute("create or replace table t (day date, id int, name varchar, file varchar)")
    cursor.execute(
        'copy into "PUBLIC"."T" ("ID", "NAME", "DAY", "FILE") '
        'from (select T.$1, T.$2, T.$3, metadata$filename from @"PUBLIC"."S"/file as T) '
        "file_format = (type = csv record_delimiter = '\\n' escape_unenclosed_field = none "
        "field_optionally_enclosed_by = '0x22' empty_field_as_null = false null_if = '\\\\N' "
        "skip_header = 1 replace_invalid_characters = true) on_error = abort_statement"
    )
    rows = cursor.execute("select id, name, day, file from t order by id").fetchall()
    assert rows == [(1, "a\nb", dt.date(2020, 1, 1), "s/file"), (2, "", None, "s/file")]


def test_bad_value_in_the_last_file_leaves_nothing(cursor, stage):
    stage(f1="1\n2\n", f2="3\nx\n")
    cursor.execute("create or replace table t (a int)")
    with pytest.raises(ProgrammingError, match=r"'x'(.|\n)*File 's/f2'"):
        cursor.execute("copy into t from @s")
    assert cursor.execute("select count(*) from t").fetchone() == (0,)
    stage(f2="3\n4\n")
    assert [row[3] for row in cursor.execute("copy into t from @s").fetchall()] == [2, 2]


def test_failed_load_of_several_statements_leaves_nothing(cursor, stage):
    stage(good="1\n", bad="x\n")
    cursor.execute("create or replace table t (a int)")
    with pytest.raises(ProgrammingError):
        cursor.execute(
            "begin; delete from t; copy into t from @s/good; copy into t from @s/bad; commit",
            num_statements=0,
        )
    cursor.execute("rollback")
    assert cursor.execute("select count(*) from t").fetchone() == (0,)


def test_on_error_continue_loads_what_fits(cursor, stage):
    stage(f1="1,a\nx,b\n3,c\n", f2="4,d\n")
    cursor.execute("create or replace table t (a int, b varchar)")
    rows = cursor.execute("copy into t from @s on_error = continue").fetchall()
    assert [row[:7] for row in rows] == [
        ("s/f1", "PARTIALLY_LOADED", 3, 2, 3, 1, "BIGINT value 'x' is not recognized"),
        ("s/f2", "LOADED", 1, 1, 1, 0, None),
    ]
    assert cursor.execute("select a from t order by a").fetchall() == [(1,), (3,), (4,)]


def test_on_error_skip_file_loads_the_other_files(cursor, stage):
    stage(f1="1,a\nx,b\n", f2="4,d\n")
    cursor.execute("create or replace table t (a int, b varchar)")
    rows = cursor.execute("copy into t from @s on_error = 'skip_file'").fetchall()
    assert [row[1] for row in rows] == ["LOAD_FAILED", "LOADED"]
    assert cursor.execute("select a from t").fetchall() == [(4,)]


def test_file_is_loaded_once(cursor, stage):
    stage(file="1\n")
    cursor.execute("create or replace table t (a int)")
    assert cursor.execute("copy into t from @s").fetchall()[0][1] == "LOADED"
    again = cursor.execute("copy into t from @s").fetchall()
    assert again == [("Copy executed with 0 files processed.",)]
    named = cursor.execute("copy into t from @s files = ('file')").fetchall()
    assert named[0][1] == "LOAD_SKIPPED"
    cursor.execute("copy into t from @s force = true")
    stage(file="3\n4\n")
    cursor.execute("copy into t from @s")
    assert cursor.execute("select a from t order by a").fetchall() == [(1,), (1,), (3,), (4,)]
    cursor.execute("truncate table t")
    cursor.execute("copy into t from @s")
    assert cursor.execute("select count(*) from t").fetchone() == (2,)


def test_rolled_back_load_is_not_remembered(cursor, stage):
    stage(file="1\n")
    cursor.execute("create or replace table t (a int)")
    cursor.execute("begin")
    cursor.execute("copy into t from @s purge = true")
    cursor.execute("rollback")
    assert cursor.execute("copy into t from @s purge = true").fetchall()[0][1] == "LOADED"
    assert cursor.execute("list @s").fetchall() == []


def test_files_and_pattern_choose(cursor, stage):
    stage(a="1\n", b="2\n", c="3\n")
    cursor.execute("create or replace table t (a int)")
    cursor.execute("copy into t from @s files = ('a')")
    cursor.execute("copy into t from @s pattern = '.*/c'")
    assert cursor.execute("select a from t order by a").fetchall() == [(1,), (3,)]
    with pytest.raises(ProgrammingError, match="was not found"):
        cursor.execute("copy into t from @s files = ('d')")


@pytest.mark.parametrize(
    "option", ["size_limit = 5", "truncatecolumns = true", "on_error = 'skip_file_5%'"]
)
def test_copy_option_without_effect_is_refused(cursor, stage, option):
    stage(file="1\n")
    cursor.execute("create or replace table t (a int)")
    with pytest.raises(ProgrammingError, match="is not in the embedded warehouse"):
        cursor.execute(f"copy into t from @s {option}")


def test_unload_writes_what_load_reads(cursor):
    cursor.execute(
        "create or replace table t as select 1 as a, 'x\"y' as b, null::varchar as c, '' as d"
    )
    cursor.execute(f"copy into @s/out from t file_format = (type = csv {QUOTED}) header = true")
    cursor.execute("create or replace table u like t")
    cursor.execute(f"copy into u from @s/out file_format = (type = csv {QUOTED} skip_header = 1)")
    assert cursor.execute("select * from u").fetchall() == [(1, 'x"y', None, "")]
    with pytest.raises(ProgrammingError, match="already existing"):
        cursor.execute(f"copy into @s/out from t file_format = (type = csv {QUOTED})")

"""PUT, LIST, GET and REMOVE through snowflake-connector-python."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from snowflake.connector.errors import ProgrammingError


@pytest.fixture(scope="module")
def database(warehouse):
    """One for all tests; they begin with an empty stage."""
    warehouse.rows("create database staged_files")
    yield "STAGED_FILES"
    warehouse.rows("drop database staged_files")


@pytest.fixture
def cursor(connection):
    cursor = connection.cursor()
    cursor.execute("create or replace stage s")
    return cursor


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text("1,x\n2,y\n")
    return path


def names(cursor, location: str) -> list[str]:
    return [row[0] for row in cursor.execute(f"list {location}").fetchall()]


def test_put_compresses_unless_told_otherwise(cursor, file, tmp_path):
    cursor.execute(f"put file://{file} @s/in")
    cursor.execute(f"put 'file://{file}' @s/in auto_compress = false")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"3,z\n"))
    result = cursor.execute(f"put file://{tmp_path}/b.csv.gz @s/in").fetchall()
    assert result[0][4:7] == ("GZIP", "GZIP", "UPLOADED")
    assert names(cursor, "@s") == ["s/in/a.csv", "s/in/a.csv.gz", "s/in/b.csv.gz"]


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("@%t", "a.csv"),
        ('\'@"PUBLIC"."%T"/"1700.25"\'', "1700.25/a.csv"),
        ('@public.%t/"with blank"/', "with blank/a.csv"),
        ('@"PUBLIC"."S"/x=1/2026-11-22T10:00', "s/x=1/2026-11-22T10:00/a.csv"),
        ("@~/mine", "mine/a.csv"),
    ],
)
def test_locations(cursor, file, location, name):
    cursor.execute("create or replace table t (a int, b varchar)")
    cursor.execute(f"put 'file://{file}' {location} overwrite = true, auto_compress = false")
    assert names(cursor, location) == [name]
    assert cursor.execute(f"remove {location}").fetchall() == [(name, "removed")]
    assert names(cursor, location) == []


def test_shorter_file_overwrites_a_longer_one_as_a_whole(cursor, file):
    cursor.execute(f"put file://{file} @s auto_compress = false")
    file.write_text("9,z\n")
    cursor.execute(f"put file://{file} @s auto_compress = false overwrite = true")
    cursor.execute("create or replace table t (a int, b varchar)")
    cursor.execute("copy into t from @s")
    assert cursor.execute("select * from t").fetchall() == [(9, "z")]


def test_list_and_remove_take_a_prefix_and_a_pattern(cursor, file, tmp_path):
    for name in ("one.csv", "one_more.csv", "two.txt"):
        (tmp_path / name).write_text("1\n")
        cursor.execute(f"put file://{tmp_path}/{name} @s auto_compress = false")
    assert names(cursor, "@s/one") == ["s/one.csv", "s/one_more.csv"]
    assert names(cursor, "@s pattern = '.*[.]txt'") == ["s/two.txt"]
    cursor.execute("remove @s pattern = '.*one.*'")
    assert names(cursor, "@s") == ["s/two.txt"]


def test_get_downloads(cursor, file, tmp_path):
    cursor.execute(f"put file://{file} @s/deep/er auto_compress = false")
    target = tmp_path / "down"
    target.mkdir()
    cursor.execute(f"get @s/deep 'file://{target}'")
    assert (target / "a.csv").read_text() == "1,x\n2,y\n"


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("put file://{file} @missing", "Stage '.*MISSING' does not exist"),
        ("list @%missing", "does not exist"),
        ("put file://{file} @s/../../other", "leads out of the stage"),
        ("put file://{file} @s owerwrite = true", "OWERWRITE of PUT"),
        ("put file://{file} @s overwrite = maybe", "invalid value .maybe. for parameter"),
        ("create stage e url = 's3://bucket/'", "outside of the warehouse"),
        ("create stage s", "already exists"),
        ("copy into s from 's3://bucket/x'", r"outside of the warehouse \(s3://\)"),
    ],
)
def test_what_cannot_be_done_is_refused(cursor, file, sql, message):
    with pytest.raises(ProgrammingError, match=message):
        cursor.execute(sql.format(file=file))


def test_temporary_stage_ends_with_its_session(warehouse, database, file):
    with warehouse.connect(database=database) as connection:
        cursor = connection.cursor()
        cursor.execute("create or replace temporary stage tmp file_format = (type = parquet)")
        cursor.execute(f"put file://{file} @tmp")
        assert "TMP" in [row[1] for row in cursor.execute("show stages").fetchall()]
    assert "TMP" not in [row[1] for row in warehouse.rows("show stages", database=database)]


def test_dropped_schema_takes_its_stages_and_formats_along(cursor, file):
    for _ in range(2):
        cursor.execute("create schema gone")
        cursor.execute("create stage gone.s")
        cursor.execute("create file format gone.f type = csv")
        assert names(cursor, "@gone.s") == []
        cursor.execute(f"put file://{file} @gone.s")
        cursor.execute("drop schema gone")
        cursor.execute("use schema public")


def test_dropped_table_takes_its_files_along(cursor, file):
    cursor.execute("create or replace table t (a int, b varchar)")
    cursor.execute(f"put file://{file} @%t")
    cursor.execute("drop table t")
    cursor.execute("create or replace table t (a int, b varchar)")
    assert names(cursor, "@%t") == []

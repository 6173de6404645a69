"""Which texts are locations of files: of named stages, tables and users."""

from __future__ import annotations

from pathlib import Path

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import ProgrammingError


@pytest.fixture
def cursor(connection: SnowflakeConnection) -> SnowflakeCursor:
    cursor = connection.cursor()
    cursor.execute("create table t (a int)")
    cursor.execute("create stage s")
    return cursor


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "f.csv"
    path.write_text("1\n")
    return path


def put(cursor: SnowflakeCursor, file: Path, location: str, options: str = "") -> None:
    cursor.execute(f"put 'file://{file}' '{location}' auto_compress = false {options}")


def staged(cursor: SnowflakeCursor, location: str) -> list[str]:
    return [row[0] for row in cursor.execute(f"list '{location}'").fetchall()]


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("@s", "s/f.csv"),
        ("@s/", "s/f.csv"),
        ("@S/a", "s/a/f.csv"),
        ("@s/a/b/", "s/a/b/f.csv"),
        ('@"S"/"a b"', "s/a b/f.csv"),
        ("@public.s/p", "s/p/f.csv"),
        ("@{d}.public.s/d", "s/d/f.csv"),
        ("@{d}..s/dd", "s/dd/f.csv"),
        ("@%t", "f.csv"),
        ('@%"T"/q', "q/f.csv"),
        ("@public.%t/r", "r/f.csv"),
        ("@~/{d}", "{d}/f.csv"),
        ('@~/{d}/"x y"', "{d}/x y/f.csv"),
    ],
)
def test_location(
    cursor: SnowflakeCursor, database: str, file: Path, location: str, name: str
) -> None:
    location, name = (text.replace("{d}", database) for text in (location, name))
    put(cursor, file, location)
    assert name in staged(cursor, location)
    cursor.execute(f"remove '{location}'")


@pytest.mark.parametrize(
    "location",
    [
        *("@~x", "@~x/y", "@~.x", "@~~", "@~%t", '@~"x"', '@"~"', "@%", "@", "@/x", "@s a", "@s%t"),
        *("@%missing", "@%t.x", "@missing/x", '@"s"', "@a.b.c.s", "@!s", "@s.x", "@%s"),
        *("@s/../x", "@s/a/../../x", "@s/./a", "@s/a/.", "@~/../../x", "@~/..", "@%t/../x"),
    ],
)
def test_what_is_no_location_is_refused_and_leaves_nothing(
    cursor: SnowflakeCursor, file: Path, location: str
) -> None:
    for statement in (
        f"put 'file://{file}' '{location}'",
        f"list '{location}'",
        f"get '{location}' 'file://{file.parent}'",
        f"remove '{location}'",
        f"copy into t from '{location}'",
    ):
        with pytest.raises(ProgrammingError):
            cursor.execute(statement)
    assert [staged(cursor, each) for each in ("@s", "@%t")] == [[], []]
    assert not any("f.csv" in name for name in staged(cursor, "@~"))


def test_stage_that_looks_like_a_tables_is_refused(cursor: SnowflakeCursor) -> None:
    with pytest.raises(ProgrammingError, match="cannot begin with %"):
        cursor.execute('create stage "%t"')


def test_put_without_a_file_keeps_what_is_staged(
    cursor: SnowflakeCursor, file: Path, tmp_path: Path
) -> None:
    put(cursor, file, "@s/a")
    file.unlink()
    for source in (file, tmp_path, tmp_path / "*.csv"):
        with pytest.raises(ProgrammingError):
            put(cursor, source, "@s/a", "overwrite = true")
    assert staged(cursor, "@s") == ["s/a/f.csv"]


def test_file_in_the_way_of_a_path_is_named(cursor: SnowflakeCursor, file: Path) -> None:
    put(cursor, file, "@s/a")
    with pytest.raises(ProgrammingError, match=r"in the way of the path 'a/f\.csv'"):
        put(cursor, file, "@s/a/f.csv")
    with pytest.raises(ProgrammingError, match="cannot use its files: File name too long"):
        put(cursor, file, f"@s/{'x' * 300}")
    with pytest.raises(ProgrammingError, match="PARALLEL of PUT must be 1 to 99"):
        put(cursor, file, "@s/b", "parallel = 0")
    assert staged(cursor, "@s") == ["s/a/f.csv"]

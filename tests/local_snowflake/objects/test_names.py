"""Names that need quotes, in every statement that takes a name."""

from __future__ import annotations

from pathlib import Path

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError

NAMES = [
    'a""b', '"', "..", " a ", "a.b c", "täble", "名" * 60, "x" * 255, "select", "ORDER", "a;b--c",
    "a\\b", "/* x */", "$1", "1a", "@x", "a{0}b?:,%/~", "a\nb", "a'b",
]  # fmt: skip


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(name: str) -> str:
    return "'" + name.replace("\\", "\\\\").replace("'", "''") + "'"


@pytest.fixture(scope="module")
def database(warehouse):
    """One for all tests: each has a schema of its own."""
    warehouse.rows("create or replace database odd_names")
    yield "ODD_NAMES"
    warehouse.rows("drop database odd_names")


@pytest.mark.parametrize("name", NAMES)
def test_name(connection: SnowflakeConnection, name: str, tmp_path: Path) -> None:
    n, text = quoted(name), literal(name)
    path = f"odd_names.{n}.{n}"
    stage = f"@odd_names.{n}.{n}/p"
    file = tmp_path / "f.csv"
    file.write_text("7\n8\n")
    cursor = connection.cursor()

    def run(*statements: str) -> list[tuple[object, ...]]:
        for statement in statements:
            result = cursor.execute(statement).fetchall()
        return result

    run(f"create schema odd_names.{n}", "use schema odd_names.public")
    run(f"use schema odd_names.{n}")
    assert run("select current_schema()") == [(name,)]
    run(f"create table {n} ({n} int, v varchar)", f"comment on table {n} is 'c'")
    run(f"insert into {n} values (1, 'x')", f"insert into {path} ({n}) values (2)")
    assert run(f"select t.{n} as {n} from {path} t order by {n}") == [(1,), (2,)]
    assert [column.name for column in cursor.description] == [name]
    assert run(f"update {n} set v = 'z' where {n} = 1") == [(1, 0)]
    merge = f"using (select 1 as k union all select 9) s on t.{n} = s.k"
    merge += " when matched then update set v = 'm' when not matched then insert"
    assert run(f"merge into {path} t {merge} ({n}) values (s.k)") == [(1, 1)]
    assert run(f"delete from {n} where {n} = 9") == [(1,)]

    assert name in {row[0] for row in run(f"describe table {n}")}
    assert name in {row[1] for row in run(f"show tables in schema odd_names.{n}")}
    assert name in {row[2] for row in run(f"show columns in table {n}")}
    assert name in {row[1] for row in run("show schemas in database odd_names")}
    columns = "select column_name from information_schema.columns where table_schema"
    assert run(f"{columns} = {text} and table_name = {text} order by 1 desc") == sorted(
        [(name,), ("V",)], reverse=True
    )

    run(f"create stage {n}", f"create file format {n} type = csv")
    run(f"put {literal(f'file://{file}')} {literal(stage)} auto_compress = false")
    assert len(run(f"list {stage}")) == len(run(f"list {literal(stage)}")) == 1
    form = f"(format_name = {literal(path)})"
    run(f"copy into {n} ({n}) from {stage} file_format = {form}")
    run(f"copy into {stage}/out/a from (select {n} from {n}) file_format = (type = csv)")
    assert run(f"select count($1) from {stage}/out") == [(4,)]
    run(f"put {literal(f'file://{file}')} {literal(f'@odd_names.{n}.%{n}')}")
    assert len(run(f"list @odd_names.{n}.%{n}")) == 1

    run(f"create view {quoted(name + 'v')} as select {n} from {n}")
    run(f"create or replace table {quoted(name + '2')} clone {n}")
    run(f"alter table {quoted(name + '2')} rename column {n} to {quoted(name + 'r')}")
    run(f"alter table {quoted(name + '2')} swap with {n}")
    run(f"create temporary table {quoted(name + 't')} as select 1 as {n}")
    assert run(f"select {n} from {quoted(name + 't')}") == [(1,)]
    assert run(f"select count(*) from identifier({literal(path)})") == [(4,)]
    assert run(f"with {n} as (select 5 as {n}) select {n} from {n}") == [(5,)]

    run(f"remove {stage}", f"drop stage {n}", f"truncate table {n}", f"drop table {n}")
    run(f"drop schema odd_names.{n}")
    gone = f"select count(*) from information_schema.schemata where schema_name = {text}"
    assert run("use schema odd_names.public", gone) == [(0,)]


@pytest.mark.parametrize("name", ['a"b', "a.b", "a'b"])
def test_sequence_that_nextval_could_not_find_is_refused(
    connection: SnowflakeConnection, name: str
) -> None:
    with pytest.raises(ProgrammingError, match="A sequence with quotes or dots in its name"):
        connection.cursor().execute(f"create sequence {quoted(name)}")

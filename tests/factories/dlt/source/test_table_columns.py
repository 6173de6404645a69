"""A database's columns of any name and type: each value arrives, or the run says which does not."""

from __future__ import annotations

import json

import pytest

from tests.factories.conftest import Source
from tests.factories.dlt.conftest import Project, materialized

pytestmark = pytest.mark.clients

NAMES = ("At", 'with "space', "select", "größe", "a.b", "it's $x%:")


def write(project: Project, resource: object, name: str = "t", **arguments: object) -> None:
    given = {"credentials": "${SHOP_URL}", "schema": "${SHOP_SCHEMA}", **arguments}
    project.pipeline(
        f"source: {{sql_database: {json.dumps(given)}}}\n"
        f"resources: {{{name}: {json.dumps(resource, ensure_ascii=False)}}}\n"
    )


def test_a_cursor_and_a_key_may_have_any_name(project: Project, source: Source) -> None:
    """Each is the cursor of a table of its own, whose name is as odd; half of them for a day."""
    entries, resources = [], {}
    for n, name in enumerate(NAMES):
        column = '"' + name.replace('"', '""') + '"'
        source.execute(
            f'create table {{s}}.{column} ("The Id" int primary key, {column} timestamp)',
            f"insert into {{s}}.{column} select n, timestamp '2024-01-01' + n * interval '1 day'"
            " from generate_series(0, 3) n",
        )
        backend = "pyarrow" if n % 2 else "sqlalchemy"
        entries.append({"name": f"t{n}", "table": name, "backend": backend})
        resources[f"t{n}"] = {
            "write_disposition": "merge",
            "primary_key": "The Id",
            "incremental": {"cursor_path": name},
            "meta": {"dagster": {"partition": {"type": "daily", "start": "2024-01-01"}}},
        }
    given = {"credentials": "${SHOP_URL}", "schema": "${SHOP_SCHEMA}", "resources": entries}
    text = json.dumps(resources, ensure_ascii=False)
    project.pipeline(f"source: {{sql_database: {json.dumps(given)}}}\nresources: {text}\n")

    result = project.run(partition_key="2024-01-03")

    assert result.success, project.failure()
    loaded = {key: found["rows_loaded"] for key, found in materialized(result).items()}
    assert loaded == dict.fromkeys(resources, 1)
    assert project.rows("select the_id from {d}.t2") == [(2,)]


UNFIT = (
    ("numeric", "1.1234567890123", "holds 1.1234567890123, which", "precision: 38, scale: 13}"),
    ("numeric", "12345678901234567890123456789012345678901", "which does not fit", "type: text}"),
    ("numeric", "'NaN'", "holds NaN, which does not fit", "columns: {x: {data_type: text}}"),
    ("numeric", "'-Infinity'", "holds -Infinity, which", "columns: {x: {data_type: text}}"),
    ("numeric(45, 5)", "1.5", "is NUMERIC(45, 5), and a number has at most 38", "type: text}"),
    ("timestamp", "'infinity'", "value that cannot be read", "columns: {x: {data_type: text}}"),
    ("timestamptz", "'-infinity'", "value that cannot be read", "columns: {x: {data_type: text}}"),
    ("date", "'0044-03-15 BC'", "value that cannot be read", "columns: {x: {data_type: text}}"),
    ("time", "'24:00'", "value that cannot be read", "columns: {x: {data_type: text}}"),
    ("interval", "'1 day'", "is INTERVAL, which dlt cannot load", "{x: {data_type: text}}"),
)


@pytest.mark.parametrize("backend", ["pyarrow", "sqlalchemy"])
def test_a_value_that_no_column_holds_is_named_and_the_cure_works(
    project: Project, source: Source, backend: str
) -> None:
    """All of them are read in one run; then as the runs' failure says."""
    names = [f"t{n}" for n in range(len(UNFIT))]
    for name, (kind, value, _, _) in zip(names, UNFIT, strict=True):
        source.execute(
            f"create table {{s}}.{name} (id int, at timestamp default now(), x {kind})",
            f"insert into {{s}}.{name} (id, x) values (1, {value})",
        )
    given = {"credentials": "${SHOP_URL}", "schema": "${SHOP_SCHEMA}", "backend": backend}
    project.pipeline(
        f"source: {{sql_database: {json.dumps(given)}}}\n"
        f"resources: {{{', '.join(f'{name}: {{}}' for name in names)}}}\n"
    )

    project.run()
    said = dict(line.split(": ", 1) for line in project.failure().splitlines() if line[:1] == "t")
    assert set(said) == set(names)
    for name, (_, _, problem, cure) in zip(names, UNFIT, strict=True):
        assert "'x'" in said[name]
        assert f"of {name} " in said[name]
        assert problem in said[name]
        assert cure in said[name]

    if backend == "sqlalchemy":
        return  # the cure is the same query
    text = "{write_disposition: replace, columns: {x: {data_type: text}}}"
    project.pipeline(
        f"source: {{sql_database: {json.dumps(given)}}}\n"
        f"resources: {{{', '.join(f'{name}: {text}' for name in names)}}}\n"
    )
    result = project.run()
    assert result.success, project.failure()
    assert project.rows("select x from {d}.t2") == [("NaN",)]
    assert project.rows("select x from {d}.t5") == [("infinity",)]
    assert project.rows("select x from {d}.t9") == [("1 day",)]


def test_decimals_take_the_digits_that_are_asked_for(project: Project, source: Source) -> None:
    source.execute(
        "create table {s}.t (id int, x numeric, y numeric)",
        "insert into {s}.t values (1, 1.1234567890123, 5)",
    )
    hint = {"x": {"data_type": "decimal", "precision": 38, "scale": 13}}
    write(project, {"write_disposition": "replace", "columns": hint})
    assert project.run().success
    assert str(project.rows("select x from {d}.t")[0][0]) == "1.1234567890123"

    hint["x"]["scale"] = 20
    write(project, {"write_disposition": "replace", "columns": hint})
    project.run()
    assert "the column 'x' of t is decimal(38, 13) in the warehouse and" in project.failure()
    project.rows("drop table {d}.t")
    assert project.run().success

    whole = {"y": {"data_type": "bigint"}, **hint}
    source.execute("update {s}.t set y = 5.5")
    write(project, {"table_name": "other", "columns": whole})
    project.run()
    assert "the column 'y' of t holds a value that is no whole number" in project.failure()
    source.execute("update {s}.t set y = 6.0")
    assert project.run().success
    assert project.rows("select y from {d}.other") == [(6,)]


def test_names_of_columns_that_are_not_there_are_refused(project: Project, source: Source) -> None:
    source.execute('create table {s}.t (id int primary key, "Unit Price" int, notes text)')
    for resource, arguments, expected in (
        ({"columns": {"unit_price": {"description": "x"}}}, {}, "columns: t has no column 'unit_p"),
        ({"write_disposition": "merge", "primary_key": "ids"}, {}, "primary_key: t has no column"),
        ({"write_disposition": "merge", "merge_key": "day"}, {}, "merge_key: t has no column"),
        ({}, {"excluded_columns": ["note"]}, "excluded_columns: t has no column 'note'"),
        ({}, {"included_columns": ["ID"]}, "included_columns: t has no column 'ID'"),
    ):
        write(project, resource, **arguments)
        project.run()
        assert expected in project.failure()
    write(project, {"write_disposition": "merge", "primary_key": "unit_price"})
    assert project.run().success  # as dlt calls it


@pytest.mark.parametrize("backend", ["pyarrow", "sqlalchemy"])
def test_a_row_without_the_cursor_is_never_left_out_in_silence(
    project: Project, source: Source, backend: str
) -> None:
    source.execute(
        "create table {s}.t (id int, at timestamp)",
        "insert into {s}.t values (1, '2024-01-02'), (2, null)",
    )
    for missing, rows in (("raise", None), ("exclude", [1]), ("include", [1, 2])):
        cursor = {"cursor_path": "at", "initial_value": "2024-01-01T00:00"}
        write(
            project,
            {"incremental": {**cursor, "on_cursor_value_missing": missing}},
            name=missing,
            backend=backend,
            resources=[{"name": missing, "table": "t"}],
        )
        result = project.run()
        if rows is None:
            assert "Cursor element with JSON path `at` has the value `None`" in project.failure()
        else:
            assert result.success, project.failure()
            assert project.rows(f"select id from {{d}}.{missing} order by id") == [
                (n,) for n in rows
            ]

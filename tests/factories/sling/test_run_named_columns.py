"""Columns that settings name: Sling's own rules find them, or the stream fails and says which."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest

from tests.factories.sling.conftest import Project, Source, materialized

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("sling")]

# Each stream has a table of its own; what becomes of it tells that Sling has found the column.
FOUND = {
    "any_case": {"columns": {"AMOUNT": "text"}},
    "umlaut": {"columns": {"GRÖßE": "bigint"}},
    "snake": {"columns": {"camel_case": "text"}, "target_options": {"column_casing": "snake"}},
    "every": {"columns": {"*": "text"}},
    "spaces": {"transforms": {"first NAME": ["trim_space"]}},
    "left_out": {"select": ["-AMOUNT", '-"First Name"']},
    "query": {"sql": "select id, amount as total from {s}.every", "columns": {"TOTAL": "text"}},
}
MISSING = {
    "typo": {"columns": {"amuont": "text"}},
    "sharp": {"columns": {"GRÖSSE": "text"}},
    "value": {"transforms": {"nmae": ["trim_space"]}},
    "secret": {"select": ["-amuont"]},
    "pattern": {"select": ["-am*"]},
    "option": {"source_options": {"columns": {"x": "text"}}},
    "other": {"sql": "select id, amount as total from {s}.every", "columns": {"amount": "text"}},
}
SENTENCES = """
typo: columns: there is no column 'amuont'; did you mean 'amount'? (the source has: id, name,
sharp: columns: there is no column 'GRÖSSE'; did you mean 'Größe'? (
value: transforms: there is no column 'nmae'; did you mean 'name'? (
secret: select: there is no column 'amuont'; did you mean 'amount'? (
pattern: select: there is no column 'am*' (
option: source_options.columns: there is no column 'x' (
other: columns: there is no column 'amount' (the source has: id, total)
"""
TYPES = """
    select table_name, column_name, data_type from RAW.information_schema.columns
    where table_schema = upper('{s}') and (table_name, column_name) in (
        ('ANY_CASE', 'AMOUNT'), ('UMLAUT', 'Größe'), ('SNAKE', 'CAMEL_CASE'), ('EVERY', 'ID'),
        ('QUERY', 'TOTAL'))
    order by table_name
"""
BARE = dict.fromkeys(["id", "name", "sum"], "text")
OF_FILES = """
a.csv: columns: there is no column 'First Name'; did you mean 'first_name'? (the source has: id, f
a.json: columns: there is no column 'amount' (the source has: data): source_options: {flatten: true
a.json: columns: there is no column '*'
a.json: columns: there is no column 'ID'; did you mean 'id'?
"""


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    """The text with which the run's one step failed."""
    [event] = result.get_step_failure_events()
    error = event.step_failure_data.error
    assert error is not None
    return error.message


def test_columns_of_settings_are_found_as_sling_finds_them(
    project: Project, source: Source
) -> None:
    streams = {**FOUND, **MISSING}
    for name, config in streams.items():
        if "sql" not in config:
            source.execute(
                f"create table {{s}}.{name} (id int, name text, amount numeric(8,2),"
                ' "First Name" text, "camelCase" int, "Größe" text)',
                f"insert into {{s}}.{name} values (1, 'a', 10.5, ' Ada ', 3, '4')",
            )
    named = {
        name if "sql" in config else f"{{s}}.{name}": {"object": f"{{s}}.{name}", **config}
        for name, config in streams.items()
    }
    text = json.dumps({"source": "shop", "target": "SNOWFLAKE", "streams": named})
    project.replication(text)

    result = project.run()

    assert materialized(result).keys() == FOUND.keys()
    message = failure_of(result)
    for sentence in SENTENCES.strip().splitlines():
        assert sentence in message
    assert project.rows(TYPES) == [
        ("ANY_CASE", "AMOUNT", "TEXT"),
        ("EVERY", "ID", "TEXT"),
        ("QUERY", "TOTAL", "TEXT"),
        ("SNAKE", "CAMEL_CASE", "TEXT"),
        ("UMLAUT", "Größe", "NUMBER"),
    ]
    assert project.rows('select "First Name" from {s}.spaces') == [("Ada",)]
    assert project.rows("select * from {s}.left_out") == [(1, "a", 3, "4")]


def test_columns_of_files_are_found_by_the_names_that_sling_gives_them(
    project: Project, tmp_path: Path
) -> None:
    row = {"id": 1, "First Name": "Ada", "amount": "10.50"}
    late = [{"id": number} for number in range(2000)] + [{"id": 2000, "late": 1}]
    (tmp_path / "a.csv").write_text("id,First Name,amount\n1,Ada,10.50\n")
    (tmp_path / "bare.csv").write_text("1,Ada,10.50\n")
    (tmp_path / "a.json").write_text(json.dumps([row]))
    (tmp_path / "late.jsonl").write_text("\n".join(map(json.dumps, late)))
    flat = {"source_options": {"flatten": True}}
    files = {
        "csv": ("a.csv", {"columns": {"FIRST_NAME": "text", "AMOUNT": "text"}}),
        "csv_typo": ("a.csv", {"columns": {"First Name": "json"}}),
        "bare": ("bare.csv", {"source_options": {"header": False}, "columns": BARE}),
        "json": ("a.json", {"columns": {"data": "text"}}),
        "json_typo": ("a.json", {"columns": {"amount": "text"}}),
        "json_every": ("a.json", {**flat, "columns": {"*": "text"}}),
        "flat": ("a.json", {**flat, "columns": {"id": "text"}}),
        "flat_case": ("a.json", {**flat, "columns": {"ID": "text"}}),
        "late": ("late.jsonl", {**flat, "columns": {"late": "text"}}),
    }
    (project.root / "sling" / "connections.yaml").write_text("connections: {shop: {type: file}}")
    # A file may be read by several streams, whose names differ.
    named = {
        f"file://{tmp_path}{'/.' * number}/{file}": {"object": f"{{s}}.{name}", **config}
        for number, (name, (file, config)) in enumerate(files.items())
    }
    text = json.dumps({"source": "shop", "target": "SNOWFLAKE", "streams": named})
    project.replication(text)

    result = project.run()

    assert materialized(result).keys() == {"csv", "bare", "json", "flat", "late"}
    message = failure_of(result)
    for sentence in OF_FILES.strip().splitlines():
        assert sentence in message
    assert "late.jsonl: columns: there is no column 'late'" in project.messages()
    assert project.rows("select amount from {s}.csv") == [("10.50",)]
    assert project.rows("select id from {s}.flat") == [("1",)]
    assert project.rows("select id, name, sum from {s}.bare") == [("1", "Ada", "10.50")]
    assert project.rows("select count(*), count(late) from {s}.late") == [(2001, 1)]

"""What each kind of check finds in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pytest

from factories.core.execution.checks.other_tables import OtherTable
from factories.core.meta.check_schema import ChecksSpec
from factories.core.meta.check_specs import check_names
from factories.core.warehouse.names import Relation
from tests.factories.core.execution.checks.checked_orders import (
    COLUMNS,
    Orders,
    Tables,
    values,
)

(NOT_NULL_NOTE,) = check_names(ChecksSpec.model_validate({"columns": {"not_null": "note x"}}))
ALL: dict[str, Any] = {
    "rows": {"min": 1},
    "columns": {"not_null": ["id"], "unique": "ID"},
    "schema": "no_removed_columns",
}


@pytest.mark.parametrize(
    ("rows", "passed"),
    [
        ({"min": 3}, True),
        ({"min": 4}, False),
        ({"max": 3}, True),
        ({"max": 2}, False),
        ({"min": 3, "max": 3}, True),
        ({"max": 0}, False),
    ],
)
def test_row_count(orders: Orders, rows: dict[str, int], passed: bool) -> None:
    (result,) = orders.results(rows=rows).values()
    assert result.passed is passed
    assert values(result) == {"rows": 3, **rows}
    assert bool(result.description) is not passed


@pytest.mark.parametrize(
    ("before", "change", "passed", "text"),
    [
        ([], {"min": "-5%"}, True, "No earlier run has recorded its rows"),
        ([0, 0], {"max": "5%"}, True, "The runs before had no rows"),
        ([3], {"min": "0%", "max": "0%"}, True, None),
        ([4], {"min": "-25%"}, True, None),
        ([4], {"min": "-24.9%"}, False, "3 rows, -25.0% of 4, the run before: at least -24.9%"),
        ([2], {"max": "49%"}, False, "3 rows, +50.0% of 2, the run before: at most 49% is asked"),
        ([2, 2, 300], {"min": "50%"}, True, None),  # of the median, not of the mean
        ([300, 2, 2], {"min": "0%", "runs": 2}, True, None),
        ([1, 300, 300], {"min": "-90%", "runs": 2}, False, "of 300, the median of 2 runs before"),
    ],
)
def test_the_rows_are_compared_with_those_of_the_last_runs(
    orders: Orders, before: list[int], change: dict[str, Any], passed: bool, text: str | None
) -> None:
    orders.key = dg.AssetKey(["change", *map(str, before), *map(str, change.values())])
    for count in before:
        orders.instance.report_runless_asset_event(
            dg.AssetMaterialization(orders.key, metadata={"dagster/row_count": count})
        )

    result = orders.results(rows={"change": change})["row_count_change"]

    assert result.passed is passed
    assert (text or "") in (result.description or "")
    assert (result.description is None) is (text is None)
    assert values(result)["rows"] == 3


def test_columns_are_found_whatever_their_case(orders: Orders) -> None:
    found = orders.passed(columns={"not_null": ["ID", "note x"], "unique": ["id", "note x"]})
    assert found == {
        "not_null_id": True,
        NOT_NULL_NOTE: False,
        "unique_id": False,
        NOT_NULL_NOTE.replace("not_null", "unique"): True,
    }


@pytest.mark.parametrize("name", ['say "hi"', "it's", "100%s", "{column}", "größe", "a;--", " "])
def test_a_column_of_any_name_is_quoted(orders: Orders, name: str) -> None:
    quoted = name.replace('"', '""')
    orders.database.execute(
        f'create or replace table orders as select null as "{quoted}" union all select 1'
    )
    checks = {"not_null": [name], "unique": [name], "accepted_values": {name: [2]}}
    assert list(orders.passed({name: "INTEGER"}, columns=checks).values()) == [False, True, False]


def test_columns_that_differ_in_case_are_each_checked_where_yaml_writes_them_so(
    orders: Orders,
) -> None:
    asked: list[str] = []

    def note(sql: str) -> Sequence[Sequence[Any]]:
        asked.append(sql)
        return [[0, 0, 0]]

    columns = {"Note": "VARCHAR", "note": "VARCHAR"}
    found = orders.results(columns, note, columns={"not_null": ["note", "Note", "NOTE"]})
    results = list(found.values())
    assert [result.passed for result in results] == [True, True, False]
    (sql,) = asked
    assert 'count_if("note" is null)' in sql
    assert 'count_if("Note" is null)' in sql
    assert results[2].description == (
        "The table has several columns of this name: Note, note. Name one as it is written."
    )


def test_a_check_of_a_column_that_is_not_there_fails(orders: Orders) -> None:
    (result,) = orders.results(columns={"unique": "order_id"}).values()
    assert not result.passed
    assert result.description == "The table has no column order_id."
    (result,) = orders.results({}, columns={"unique": "order_id"}).values()
    assert "it does not exist, or cannot be read" in str(result.description)


@pytest.mark.parametrize(
    ("accepted", "wrong"),
    [([1, 2], 0), ([1], 2), ([1.5, 2], 1), (["1", "2"], 0)],
)
def test_accepted_numbers(orders: Orders, accepted: list[Any], wrong: int) -> None:
    (result,) = orders.results(columns={"accepted_values": {"id": accepted}}).values()
    assert values(result)["rows_that_fail"] == wrong
    assert values(result)["accepted_values"] == [str(value) for value in accepted]


def test_accepted_values_are_texts_beside_texts_and_nulls_pass(orders: Orders) -> None:
    orders.database.execute("insert into orders values (4, '1'), (5, 'true'), (6, 'it''s \\')")
    accepted = ["a", "c", 1, True, "it's \\"]
    found = orders.results(columns={"accepted_values": {"note x": accepted}}).values()
    # DuckDB reads a backslash as itself, where Snowflake takes it for an escape.
    assert [values(result)["rows_that_fail"] for result in found] == [1]


def test_a_condition_that_is_null_passes_as_that_of_a_check_in_sql(orders: Orders) -> None:
    found = orders.results(
        sql={
            "short": 'length("Note X") = 1',
            "in_a": {"condition": "\"Note X\" = 'a'", "description": "They are in A."},
            "of_none": {"value": "max(case when id > 9 then id end)", "min": 1},
            "mean": {"value": "avg(id)", "min": 2},
            "text": {"value": 'max("Note X")', "max": 2},
        }
    )
    assert {name: result.description for name, result in found.items()} == {
        "short": None,
        "in_a": "1 of 3 rows do not meet the condition.",
        "of_none": "The value is null, which is neither too low nor too high.",
        "mean": "The value is 1.6666666666666667, at least 2 is asked for.",
        "text": "The value is of the type str, not a number.",
    }
    assert found["of_none"].passed


def test_checks_of_a_table_without_rows_find_none_that_fail(orders: Orders) -> None:
    orders.database.execute("delete from orders")
    found = orders.passed(columns=ALL["columns"], sql={"positive": "id > 0"})
    assert set(found.values()) == {True}


NOTES = OtherTable(Relation("memory", "main", "notes"), ("note",))


@pytest.mark.parametrize(
    ("rule", "tables", "there", "text"),
    [
        (
            {"to": "x/raw/notes"},
            {},
            {},
            "Unknown: x/raw/notes has not recorded a table yet.",
        ),
        (
            {"to": "notes", "field": "note"},
            {"notes": OtherTable(Relation("memory", "main", "gone"), ("note",))},
            {},
            "Unknown: it reads memory.main.gone, which does not exist yet.",
        ),
        (
            {"to": "notes"},
            {"notes": NOTES},
            {"memory.main.notes": ["note"]},
            "memory.main.notes, the table of notes, has no column note x.",
        ),
        (
            {"to": "notes", "field": "NOTE"},
            {"notes": OtherTable(NOTES.relation, ("Note", "note"))},
            {},
            "memory.main.notes, the table of notes, has several columns of the name NOTE.",
        ),
        (
            {"to": "notes", "field": "note"},
            {"notes": NOTES},
            {},
            "1 of 3 rows have a value that note of memory.main.notes lacks.",
        ),
    ],
)
def test_values_are_looked_for_in_the_table_of_another_asset(
    orders: Orders,
    rule: dict[str, str],
    tables: dict[str, OtherTable],
    there: dict[str, list[str]],
    text: str,
) -> None:
    orders.database.execute("create table notes as select 'a' as note union all select null")
    orders.others = Tables(tables, there)

    found = orders.results(rows={"min": 1}, columns={"relationships": {"note x": rule}})

    count, result = found.values()
    assert count.passed
    assert (result.passed, result.description) == (False, text)
    unknown = text.startswith("Unknown")
    assert result.severity is dg.AssetCheckSeverity[("WARN" if unknown else "ERROR")]


@pytest.mark.parametrize(
    ("previous", "removed"),
    [(None, []), (["ID"], []), (["id", "amount", "note x", "tax"], ["amount", "tax"])],
)
def test_removed_columns(orders: Orders, previous: list[str] | None, removed: list[str]) -> None:
    orders.key = dg.AssetKey(["removed", str(previous)])
    record_columns(orders, dict.fromkeys(previous or (), "INTEGER"))
    (result,) = orders.results(schema="no_removed_columns").values()
    assert result.passed is (not removed)
    assert values(result)["removed_columns"] == removed


@pytest.mark.parametrize(
    ("previous", "text"),
    [
        ({}, "No earlier run has recorded its columns, so there is nothing to compare with."),
        (COLUMNS, None),
        (
            {"id": "DATE", "tax": "FLOAT"},
            (
                "The columns differ from those of the last load; added: Note X; removed: tax;"
                " changed: id: DATE is now INTEGER."
            ),
        ),
    ],
)
def test_changed_columns(orders: Orders, previous: dict[str, str], text: str | None) -> None:
    orders.key = dg.AssetKey(["changed", *previous.values()])
    record_columns(orders, previous)
    (result,) = orders.results(schema="unchanged").values()
    assert result.description == text
    assert result.passed is (text is None or not previous)


def test_the_columns_of_a_table_that_is_not_there(orders: Orders) -> None:
    orders.key = dg.AssetKey("gone")
    schema = ["no_removed_columns", "unchanged"]
    assert set(orders.passed({}, schema=schema).values()) == {True}  # nothing was there before
    record_columns(orders, COLUMNS)
    found = orders.results({}, schema=schema).values()
    text = "The table does not exist, or cannot be read."
    assert [(result.passed, result.description) for result in found] == [(False, text)] * 2


def record_columns(orders: Orders, columns: Mapping[str, str]) -> None:
    if columns:
        schema = dg.TableSchema([dg.TableColumn(*column) for column in columns.items()])
        orders.instance.report_runless_asset_event(
            dg.AssetMaterialization(orders.key, metadata={"dagster/column_schema": schema})
        )

"""Fields whose names become one column: what dlt keeps is said, nothing is lost in silence."""

from __future__ import annotations

import random
from typing import Any

import dlt
import pandas as pd
import pyarrow as pa
import pytest
from dlt.common.schema import Schema
from dlt.extract.exceptions import ResourceExtractionError

from factories.dlt.load.lost_fields import LostField, watch_fields
from tests.factories.dlt.conftest import Project


def lost(rows: list[Any], max_nesting: int | None = None, **columns: Any) -> list[LostField]:
    """What is lost of rows, by the schema that is to be theirs."""
    resource = dlt.resource(rows, name="things", max_table_nesting=max_nesting)
    source = dlt.source(lambda: resource, name="shop")()
    (watch,) = watch_fields(source)
    list(source)
    schema = Schema("shop")
    table = resource.compute_table_schema()
    table["columns"] |= {name: {"name": name, **hint} for name, hint in columns.items()}
    schema.update_table(table)
    return watch.lost(schema)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"userId": 1, "user_id": 2}, [("things", "the column user_id", "user_id", "userId")]),
        ({"user_id": 2, "userId": 1}, [("things", "the column user_id", "userId", "user_id")]),
        ({"ID": 1, "id": None}, [("things", "the column id", "id", "ID")]),
        ({"Unit Price": 1, "unit-price": 2, "x": 0},
         [("things", "the column unit_price", "unit-price", "Unit Price")]),
        ({"": 1, " ": 2}, [("things", "the column _empty", " ", "")]),
        ({"a": {"b": 1}, "a__b": 2}, [("things", "the column a__b", "a.b", "a__b")]),
        ({"a": {"B": 1, "b": 2}}, [("things", "the column a__b", "a.b", "a.B")]),
        ({"a": {"b": {"c": 1}}, "A": {"b": {"c": 2}}},
         [("things", "the column a__b__c", "a.b.c", "A.b.c")]),
        ({"kids": [{"X": 1, "x": 2}]}, [("things__kids", "the column x", "x", "X")]),
        ({"kids": [{"pets": [{"a": 1, "A": 2}]}]},
         [("things__kids__pets", "the column a", "A", "a")]),
        ({"kids": [[{"a": 1, "A": 2}]]}, [("things__kids__list", "the column a", "A", "a")]),
        ({"kids": [{"a": 1}], "Kids": [{"b": 1}]},
         [("things", "the table things__kids", "Kids", "kids")]),
        ({"id": 1, "_dlt_load_id": "x"},
         [("things", "the column _dlt_load_id", "", "_dlt_load_id")]),
        ({"id": 1, "user": {"id": 2}, "users": [{"id": 3}]}, []),
        ({"tags": ["a"], "Tags": "b"}, []),  # a child table and a column
    ],
)  # fmt: skip
def test_what_is_lost_of_a_row(row: dict[str, Any], expected: list[tuple[str, ...]]) -> None:
    found = lost([{"id": 0}, row, row])

    assert [(each.table, each.column, each.kept, each.lost) for each in found] == expected


def test_fields_of_different_rows_share_a_column_and_nothing_is_lost() -> None:
    assert lost([{"userId": 1}, {"user_id": 2}, {"user": {"id": 3}}, {"user__id": 4}]) == []


def test_fields_within_json_are_no_columns() -> None:
    row = {"doc": {"A": 1, "a": 2}, "kids": [{"X": 1, "x": 2}]}

    assert lost([row], doc={"data_type": "json"}, kids={"data_type": "json"}) == []
    assert lost([row], max_nesting=0) == []
    assert [each.table for each in lost([row], max_nesting=1)] == ["things", "things__kids"]


def test_lists_within_json_are_columns() -> None:
    (found,) = lost([{"tags": [1], "Tags": [2]}], max_nesting=0)

    assert (found.column, found.kept, found.lost) == ("the column tags", "Tags", "tags")


def test_what_is_said_to_be_kept_is_what_dlt_keeps() -> None:
    """Random rows, whose every value is its own path, through dlt's normalizer of rows."""
    chosen = random.Random(7)
    names = ["a", "A", "a__b", "b", "B", "a b", "a_b", "aB"]

    def make(path: str, depth: int) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for name in chosen.sample(names, chosen.randint(1, 5)):
            at = f"{path}{name}"
            nested = depth > 0 and chosen.random() < 0.4
            row[name] = make(f"{at}.", depth - 1) if nested else at
        return row

    for _ in range(60):
        row = make("", 2)
        schema = Schema("shop")
        kept = next(schema.normalize_data_item(row, "1", "things"))[1]
        said = lost([row])
        values = {v for k, v in kept.items() if not k.startswith("_dlt")}
        assert {each.lost for each in said} & values == set()
        assert {each.lost for each in said} | values == set(_leaves(row))
        for column in {each.column for each in said}:
            last = [each for each in said if each.column == column]
            assert kept[column.removeprefix("the column ")] in {each.kept for each in last}


def _leaves(row: dict[str, Any]) -> list[str]:
    return [
        leaf
        for value in row.values()
        for leaf in (_leaves(value) if isinstance(value, dict) else [value])
    ]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (pa.table({"id": [1], "Id": [2]}), "'id' and 'Id' both become id"),
        (pa.table([[1], [2]], names=["id", "id"]), "'id' is there twice"),
        (pa.record_batch({"Unit Price": [1], "unit_price": [2]}), "both become unit_price"),
        (pd.DataFrame({"userId": [1], "user_id": [2]}), "'userId' and 'user_id' both become"),
    ],
)
def test_columns_of_tables_that_become_one_are_refused(table: Any, expected: str) -> None:
    resource = dlt.resource([table], name="things")
    source = dlt.source(lambda: resource, name="shop")()
    watch_fields(source)

    with pytest.raises(ResourceExtractionError, match=f"columns of things: .*{expected}"):
        list(source)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"x": float("inf")}, "x"),
        ({"a": {"b": float("-inf")}, "x": 1.5}, "a.b"),
        ({"kids": [{"x": 1}, {"x": float("inf")}]}, "kids.x"),
        ({"kids": [[1.5, float("inf")]]}, "kids"),
    ],
)
def test_an_infinite_number_is_refused_by_its_field(row: dict[str, Any], field: str) -> None:
    source = dlt.source(lambda: dlt.resource([{"x": 0.5}, row], name="things"), name="shop")()
    watch_fields(source)

    with pytest.raises(ResourceExtractionError, match=f"the field '{field}' of things holds -?inf"):
        list(source)


def test_values_that_are_nan_are_counted_by_their_fields() -> None:
    nan = float("nan")
    rows = [{"x": nan, "text": nan, "a": {"b": nan}}, {"x": nan, "kids": [{"y": nan}, nan]}]
    hints: Any = {"text": {"data_type": "text"}}

    def count(**options: Any) -> list[str]:
        resource = dlt.resource(rows, name="things", columns=hints)
        source = dlt.source(lambda: resource, name="shop")()
        (watch,) = watch_fields(source, **options)
        list(source)
        return [" ".join(sentence.split()[:8]) for sentence in watch.missing()]

    assert count() == [
        "the field 'x' of things was NaN 2",
        "the field 'a.b' of things was NaN 1",
        "the field 'kids.y' of things was NaN 1",
        "the field 'kids' of things was NaN 1",
    ]
    assert count(nan_is_null=["things"]) == []


PEOPLE = """
    def people():
        yield [
            {"id": 1, "userId": 7, "user_id": 8, "height": float("nan")},
            {"id": 2, "userId": 9, "height": 1.5},
        ]
"""


@pytest.mark.clients
def test_a_run_warns_of_what_is_lost_and_a_frozen_table_refuses_it(project: Project) -> None:
    project.module(PEOPLE)
    project.pipeline('source: {python: "shop:people"}\nresources: {people: {}}')

    assert project.run().success
    warnings = [
        event.user_message
        for event in project.instance.all_logs(project.results[-1].run_id)
        if event.level == 30 and event.user_message.startswith("people: the field")
    ]
    assert warnings == [
        (
            "people: the field 'height' of people was NaN 1 times, which dlt loads as NULL: give"
            " None in the source, or write data_type: text for the column"
        ),
        (
            "people: the fields 'userId' and 'user_id' of people both become the column user_id:"
            " the value of 'user_id' is kept, that of 'userId' is lost in rows that have both:"
            " rename one of them in the source"
        ),
    ]
    assert project.rows("select height from {d}.people order by id") == [(None,), (1.5,)]
    assert project.rows("select user_id from {d}.people order by id") == [(8,), (9,)]

    frozen = "{schema_contract: {columns: freeze}}"
    project.pipeline(f'source: {{python: "shop:people"}}\nresources: {{people: {frozen}}}')
    project.run()
    assert "people: the schema contract refuses it: the fields 'userId' and" in project.failure()
    assert project.count("people") == 2

    frozen = "{schema_contract: {data_type: freeze}}"
    project.pipeline(f'source: {{python: "shop:people"}}\nresources: {{people: {frozen}}}')
    project.run()
    assert "people: the schema contract refuses it: the field 'height' of" in project.failure()

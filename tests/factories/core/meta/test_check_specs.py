"""What the `checks` block takes, and the checks that it describes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from factories.core.assets.blocks import MetaBlocks
from factories.core.assets.context import LoadContext, Origin
from factories.core.meta.check_schema import ChecksSpec
from factories.core.meta.check_specs import blocking_names, check_names, check_specs, list_checks
from factories.core.meta.condition_lookup import AutomationConditions
from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.warehouse.names import WarehouseNames
from factories.core.yaml.reader import read_yaml

KEY = dg.AssetKey(["shop", "raw", "orders"])


def read(tmp_path: Path, checks: str) -> tuple[DagsterMeta | None, LoadContext]:
    """Read a block as every tool reads those of its files."""
    path = tmp_path / "shop.yaml"
    path.write_text(f"streams:\n  orders: {{meta: {{dagster: {{checks: {{\n{checks}\n}}}}}}}}\n")
    context = LoadContext(tmp_path, WarehouseNames("local"), AutomationConditions())
    file = read_yaml(path, root=tmp_path, problems=context.problems)
    assert file is not None, context.problems
    meta: dict[str, Any] = file.data["streams"]["orders"]["meta"]
    return MetaBlocks(file, None, context).of(["streams", "orders"], meta), context


@pytest.mark.parametrize(
    ("checks", "problem"),
    [
        ("rows: {change: {}}", "3:16: change: give min, max or both"),
        ("rows: {change: {min: 5%, max: 4%}}", "3:16: change: min must not be greater than max"),
        ("rows: {change: {min: -101%}}", "3:16: change: min: a table cannot lose more than"),
        ("rows: {change: {min: -20}}", "3:22: min: must be a percentage such as -20% or 50%, not"),
        ("rows: {change: {min: 1%, runs: 0}}", "3:32: runs: must be greater than or equal to 1"),
        ("rows: {chnage: {min: 1%}}", "3:8: unknown key 'chnage'; did you mean 'change'?"),
        ("change: {min: 1%}", "3:1: 'change' belongs below rows"),
        ("rows: {severity: warn}", "3:7: rows: give min, max or change"),
        ("severity: warning", "3:11: severity: 'warning' is not one of the allowed values;"),
        ("columns: {not_null: [1]}", "3:22: not_null[0]: must be like id, or {column: id,"),
        ("columns: {not_null: [{colum: id}]}", "3:23: unknown key 'colum'; did you mean 'column'"),
        ("columns: {not_null: {columns: id}}", "3:22: unknown key 'columns'; did you mean"),
        ("columns: {not_null: ''}", "3:21: not_null: the name of a column is empty"),
        ("columns: {unique: [[a, a]]}", "3:20: unique[0]: the column a is listed twice"),
        ("columns: {unique: [[]]}", "3:20: unique[0]: must not be empty"),
        ("columns: {unique: [[a, b], [a, b]]}", "3:19: unique: the column a, b is listed twice"),
        ("columns: {unique: {severity: warn}}", "3:19: unique: give either column or columns"),
        ("columns: {accepted_values: {a: []}}", "3:32: a: must not be empty"),
        ("columns: {accepted_values: {a: [b, b]}}", "3:32: a: 'b' is listed twice"),
        ("columns: {accepted_values: {a: [null]}}", "3:33: a[0]: must be text or true or false"),
        ("columns: {accepted_values: {a: [.nan]}}", "3:33: a[0]: is no number that a column"),
        ("columns: {accepted_values: {a: {vals: [b]}}}", "3:33: unknown key 'vals'; did you mean"),
        ("columns: {relationships: {a: b.c}}", "3:30: a: 'b.c' is not an asset key; did you"),
        ("columns: {relationships: {a: {too: b/c}}}", "3:31: unknown key 'too'; did you mean 'to'"),
        ("columns: {freshness: {a: 36}}", "3:26: a: must be like 36h, or {max_age: 36h,"),
        ("columns: {freshness: {a: 36hours}}", "3:26: a: must be a duration like 30s, 15m, 36h"),
        ("columns: {freshness: {a: 0s}}", "3:26: a: nothing is ever that fresh"),
        (
            "columns: {freshness: {a: {max_age: 1h, timezone: Europe/Berlim}}}",
            "3:50: timezone: 'Europe/Berlim' is not a time zone like America/New_York; did you",
        ),
        ("schema: unchangd", "3:9: schema: 'unchangd' is not one of the allowed values; did you"),
        ("schema: [unchanged, unchanged]", "3:9: schema: unchanged is listed twice"),
        ("sql: {a: 'b > 1;'}", "3:10: a: the SQL is an expression, so it has no ';'"),
        ("sql: {a: 'f(b'}", "3:10: a: the SQL opens a '(' and does not close it"),
        ("sql: {a: 'b), (c'}", "3:10: a: the SQL closes a ')' that it does not open"),
        ("""sql: {a: "b = 'x"}""", "3:10: a: the SQL opens ' and does not close it"),
        ("sql: {a: 'b > 1 /* why'}", "3:10: a: the SQL opens /* and does not close it"),
        ("sql: {a: '-- nothing'}", "3:10: a: the SQL is empty"),
        ("sql: {a-b: c > 1}", "3:6: sql: 'a-b' is not a check's name: letters, digits and '_'"),
        ("sql: {a: {value: avg(b)}}", "3:10: a: give min, max or both"),
        ("sql: {a: {condition: b > 1, max: 2}}", "3:10: a: min and max go with value, not with"),
        ("sql: {a: {severity: warn}}", "3:10: a: give either condition, or value with min and"),
        ("rows: {min: 1}, sql: {row_count: a > 1}", "3:23: the check row_count is also rows"),
        (
            "columns: {not_null: id}, sql: {not_null_id: a > 1}",
            "3:32: the check not_null_id is also columns.not_null.0: give it another name",
        ),
        (
            "rows: {min: 1, severity: warn, blocking: true}",
            "3:16: severity: a check of severity warn holds nothing back: leave severity or",
        ),
        (
            "severity: warn, rows: {min: 1, blocking: true}",
            "3:32: blocking: a check of severity warn holds nothing back",
        ),
        (
            "severity: warn, blocking: true",
            "3:17: blocking: checks of severity warn hold nothing back: leave one out",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, checks: str, problem: str) -> None:
    meta, context = read(tmp_path, checks)
    assert meta is None
    (found,) = context.problems
    assert str(found).startswith(f"shop.yaml:{problem}"), str(found)


@pytest.mark.parametrize(
    ("checks", "place"),
    [
        ("columns: {relationships: {a: x/raw/b}}", (3, 30)),
        ("columns: {relationships: {a: {field: c,\n to: x/raw/b}}}", (4, 6)),
    ],
)
def test_the_asset_of_a_relationship_has_to_be_somewhere(
    tmp_path: Path, checks: str, place: tuple[int, int]
) -> None:
    _, context = read(tmp_path, checks)
    assert context.problems == []
    origin = Origin("shop.yaml", *place)
    assert list(context.check_reads) == [(dg.AssetKey(["x", "raw", "b"]), origin)]


ALL: dict[str, Any] = {
    "rows": {"min": 1, "change": {"min": "-20%", "max": "12.5%", "runs": 3}},
    "columns": {
        "not_null": ["ID", {"column": "größe"}],
        "unique": ["a_b", ["a", "b"], {"columns": ["A", "b"]}],
        "accepted_values": {"origin": ["EWR", 1, True], "one": "x"},
        "relationships": {"carrier": "ops/raw/airlines", "Dest": {"to": "ops/a", "field": "faa"}},
        "freshness": {"updated_at": "36h", "day": "1d"},
    },
    "schema": ["no_removed_columns", "unchanged"],
    "sql": {
        "late": "arrival >=\n  departure",
        "mean": {"value": "avg(delay)", "min": -3, "max": 3.5},
        "own": {"condition": "a", "description": "In words."},
    },
}
DESCRIPTIONS = {
    "row_count": "The table has at least 1 row.",
    "row_count_change": (
        "The number of rows differs by -20% to 12.5% from the median of the last 3 runs."
    ),
    "not_null_id": "The column ID has no nulls.",
    "not_null_grosse_d353a267": "The column größe has no nulls.",
    "unique_a_b": "The values of the column a_b differ in every row.",
    "unique_a_b_4a479db6": "The values of the columns a and b together differ in every row.",
    "unique_a_b_8833bc15": "The values of the columns A and b together differ in every row.",
    "accepted_values_origin": "The values of the column origin are among EWR, 1, true.",
    "accepted_values_one": "The values of the column one are among x.",
    "relationships_carrier": (
        "The values of the column carrier are in the column carrier of ops/raw/airlines."
    ),
    "relationships_dest": "The values of the column Dest are in the column faa of ops/a.",
    "freshness_updated_at": (
        "The newest value of the column updated_at is not older than 36 hours."
    ),
    "freshness_day": "The newest value of the column day is not older than 1 day.",
    "no_removed_columns": "Every column of the last load is still there.",
    "schema_unchanged": (
        "No column was added or removed since the last load, none has another type."
    ),
    "late": "In every row: arrival >= departure",
    "mean": "avg(delay) is -3 to 3.5.",
    "own": "In words.",
}


def test_every_check_is_described_in_words() -> None:
    specs = {each.name: each for each in check_specs(KEY, ChecksSpec.model_validate(ALL))}
    words = {name: each.description for name, each in specs.items()}
    assert words == DESCRIPTIONS
    assert specs["not_null_id"].metadata == {"column": "ID"}


def test_a_check_beside_others_has_the_name_that_it_has_alone() -> None:
    """Names of today's checks must stay: their history hangs on them."""
    alone = {"columns": {"not_null": ["ID", "größe"], "unique": ["a_b"]}}
    names = check_names(ChecksSpec.model_validate(alone))
    assert names[0] == "not_null_id"
    assert names[2] == "unique_a_b"
    assert set(names) <= set(check_names(ChecksSpec.model_validate(ALL)))
    assert len(set(check_names(ChecksSpec.model_validate(ALL)))) == len(DESCRIPTIONS)


def test_warnings_hold_nothing_back_and_options_of_rows_hold_for_their_change() -> None:
    spec = ChecksSpec.model_validate(
        {
            "rows": {"min": 1, "severity": "warn", "change": {"min": "-5%"}},
            "columns": {
                "not_null": ["a", {"column": "b", "severity": "warn"}],
                "unique": {"column": "c", "blocking": False},
            },
        }
    )
    assert {check.name: (check.severity, check.blocking) for check in list_checks(spec)} == {
        "row_count": ("warn", False),
        "row_count_change": ("warn", False),
        "not_null_a": ("error", True),
        "not_null_b": ("warn", False),
        "unique_c": ("error", False),
    }
    assert blocking_names(spec) == {"not_null_a"}
    assert blocking_names(None) == set()

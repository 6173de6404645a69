"""Lost columns: what is made of them, who still asks for them, and what cannot be known."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from factories.cli.changes.lost_columns import column_name
from factories.cli.changes.plan import Plan, compare
from factories.cli.changes.show_plan import markdown, unknown_columns
from tests.factories.cli.changes.test_plan import asset

RAW, STG, PLANES = "RAW.OPS.FLIGHTS", "DB.STAGING.STG_FLIGHTS", "DB.MARTS.FLEET"
Columns = dict[str, list[tuple[str, str]]]


def location(assets: Mapping[str, Any]) -> dict[str, Any]:
    none: dict[str, Any] = {"checks": {}, "jobs": [], "schedules": {}, "sensors": {}}
    return {"assets": dict(assets), "error": "", **none}


def graph() -> dict[str, dict[str, Any]]:
    return {
        "ingestion": location({"ops/raw/flights": asset(RAW, columns=["tail", "at"])}),
        "transformation": location(
            {
                "ops/stg/flights": asset(STG, node="model.a.stg", reads=["ops/raw/flights"]),
                "marts/fleet": asset(PLANES, node="model.a.fleet", reads=["ops/stg/flights"]),
            }
        ),
        "ml": location({"features/age": asset("ML.A.AGE", reads=["marts/fleet"])}),
    }


def table(name: str, columns: Columns | None, **facts: Any) -> dict[str, Any]:
    told = {"expressions": {}, "why": "", "lacking": [], "when_lost": "gone", **facts}
    return {"name": name, "columns": columns, **told}


def tables() -> dict[str, dict[str, Any]]:
    return {
        STG: table(
            "stg_flights",
            {"TAIL": [(RAW, "TAIL")], "AT": [(RAW, "AT")]},
            expressions={"TAIL": "F.TAIL", "AT": "F.AT"},
        ),
        PLANES: table(
            "fleet",
            {"PLANE": [(STG, "TAIL")], "SEEN": [(STG, "TAIL"), (STG, "AT")]},
            expressions={"PLANE": "S.TAIL", "SEEN": "S.TAIL || S.AT"},
        ),
    }


def drop_tail(after: dict[str, dict[str, Any]]) -> None:
    for facts in ("columns", "expressions"):
        del after[STG][facts]["TAIL"]


def plan(
    after: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]] | None = None
) -> Plan:
    return compare(graph(), now or graph(), (tables(), after))


def lines(found: Plan) -> list[str]:
    return [f"{one.subject} {one.text}" for one in found.differences]


def test_a_lost_column_is_told_with_what_is_made_of_it() -> None:
    after = tables()
    drop_tail(after)
    after[PLANES]["columns"] = {"PLANE": [], "SEEN": [(STG, "AT")]}
    assert lines(plan(after)) == [
        "ops/stg/flights loses the column tail, which marts/fleet (plane, seen) is made of"
    ]


def test_what_still_names_it_will_fail() -> None:
    after = tables()
    drop_tail(after)
    after[PLANES] = table("fleet", None, why="…", lacking=[("TAIL", [STG]), ("ELSE", [STG])])
    assert "marts/fleet reads stg_flights.tail, which is gone: it will fail" in lines(plan(after))


def test_what_reads_a_table_that_keeps_the_column_is_told_so() -> None:
    after = tables()
    drop_tail(after)
    after[STG]["when_lost"] = "kept"
    after[PLANES]["lacking"] = [("TAIL", [STG])]
    assert lines(plan(after)) == [
        (
            "marts/fleet reads stg_flights.tail, which gets no new values, and is missing where "
            "the table is made anew"
        ),
        (
            "ops/stg/flights no longer fills the column tail, which marts/fleet (plane, seen) is "
            "made of"
        ),
    ]


def test_an_incremental_model_that_loses_a_column_fails_itself() -> None:
    after = tables()
    drop_tail(after)
    after[STG]["when_lost"] = "fails"
    (line,) = lines(plan(after))
    assert line.endswith("is made of; its own run fails until it is refreshed in full")


def test_a_renamed_column_is_told_with_its_new_name() -> None:
    after = tables()
    after[STG]["columns"] = {"TAIL_NUMBER": [(RAW, "TAIL")], "AT": [(RAW, "AT")]}
    after[STG]["expressions"] = {"TAIL_NUMBER": "F.TAIL", "AT": "F.AT"}
    after[PLANES]["columns"]["JET"] = after[PLANES]["columns"].pop("PLANE")
    after[PLANES]["expressions"] = {"JET": "S.TAIL", "SEEN": "S.TAIL || S.AT"}
    assert lines(plan(after)) == [
        "marts/fleet loses the column plane (now jet); features/age may need it",
        (
            "ops/stg/flights loses the column tail, now tail_number, which marts/fleet (plane, "
            "seen) is made of"
        ),
    ]


@pytest.mark.parametrize(
    "expressions",
    [{"TAIL_NUMBER": "F.TAIL", "TAIL_CODE": "F.TAIL"}, {"TAIL_NUMBER": "UPPER(F.TAIL)"}],
    ids=["two columns", "another expression"],
)
def test_other_columns_of_the_same_origin_are_no_rename(expressions: dict[str, str]) -> None:
    after = tables()
    after[STG]["columns"] = {name: [(RAW, "TAIL")] for name in expressions}
    after[STG]["columns"]["AT"] = [(RAW, "AT")]
    after[STG]["expressions"] = {**expressions, "AT": "F.AT"}
    (line,) = lines(plan(after))
    assert "loses the column tail, which marts/fleet" in line


def test_columns_that_nothing_is_made_of_are_one_line_with_what_may_need_them() -> None:
    after = tables()
    after[PLANES] |= {"columns": {}, "expressions": {}}
    assert lines(plan(after)) == [
        "marts/fleet loses the columns plane, seen; features/age may need it"
    ]


def test_a_column_that_yaml_of_another_location_loses_is_followed_through_the_sql() -> None:
    now = graph()
    now["ingestion"]["assets"]["ops/raw/flights"]["columns"] = ["at"]
    after = tables()
    after[STG]["lacking"] = [("TAIL", [RAW])]
    assert lines(plan(after, now)) == [
        (
            "ops/raw/flights loses the column tail, which ops/stg/flights (tail), marts/fleet "
            "(plane, seen) are made of"
        ),
        "ops/stg/flights reads ops/raw/flights.tail, which is gone: it will fail",
    ]


def test_a_column_that_yaml_alone_loses_is_not_lost() -> None:
    before, now = graph(), graph()
    before["transformation"]["assets"]["ops/stg/flights"]["columns"] = ["tail", "at"]
    now["transformation"]["assets"]["ops/stg/flights"]["columns"] = ["at"]
    found = compare(before, now, (tables(), tables()))
    assert lines(found) == ["ops/stg/flights its YAML no longer describes the column tail"]
    assert lines(compare(before, now)) == ["ops/stg/flights loses the column tail"]


def test_what_is_not_known_is_one_line_for_all() -> None:
    after = tables()
    after[STG] = table("stg_flights", None, why="asks the warehouse while it is compiled")
    after[PLANES] = table("fleet", None, why="selects * of A.B.C, whose columns are not known")
    found = plan(after)
    assert lines(found) == []
    expected = (
        "Not compared, because their columns are not known without the warehouse: marts/fleet "
        "(selects * of A.B.C, whose columns are not known); ops/stg/flights (asks the warehouse "
        "while it is compiled)"
    )
    assert unknown_columns(found.unknown) == expected
    assert expected.replace("*", "\\*") in markdown(found)


def test_nothing_that_is_the_same_is_told() -> None:
    found = plan(deepcopy(tables()))
    assert (found.differences, found.unknown) == ([], {})


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("TAIL_NUMBER", "tail_number"), ("Unit price", '"Unit price"'), ("Tail", '"Tail"')],
)
def test_a_column_is_written_as_sql_names_it(stored: str, shown: str) -> None:
    assert column_name(stored) == shown

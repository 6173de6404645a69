"""Keys, deps, jobs and circles of the graph that the code locations make together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from factories.cli.checking.joined_graph import joined_graph_problems
from factories.cli.location_report import AssetReport, LocationReport, ReadReport
from factories.cli.workspace import CodeLocation


def problems(reports: Mapping[str, LocationReport]) -> list[str]:
    locations = [CodeLocation(name, "m", Path("python")) for name in reports]
    return [str(problem) for problem in joined_graph_problems(locations, reports)]


def test_the_same_key_in_one_location_and_external_in_another_is_fine() -> None:
    reports = {
        "one": LocationReport([AssetReport("a", "f", 1, True, [])]),
        "two": LocationReport(
            [AssetReport("a", "", 0, False, []), AssetReport("b", "f", 2, True, ["a"])]
        ),
    }
    assert problems(reports) == []


def test_what_nothing_produces_is_reported_once_where_it_is_declared() -> None:
    reports = {
        "ingestion": LocationReport([AssetReport("shop/raw/orders", "f", 1, True, [])]),
        "transformation": LocationReport(
            [
                AssetReport("shop/stg/orders", "m.sql", 1, True, ["shop/raw/ordres", "ml/x"]),
                AssetReport("shop/stg/items", "m.sql", 2, True, ["shop/raw/ordres"]),
            ],
            reads=[
                ReadReport("shop/raw/orders", "s.yml", 3),
                ReadReport("shop/raw/ordres", "s.yml", 4),
                ReadReport("erp/raw/bills", "s.yml", 5),
            ],
        ),
    }
    assert problems(reports) == [
        (
            "s.yml:4:1: shop/raw/ordres is read here, and nothing produces it;"
            " did you mean 'shop/raw/orders'?"
        ),
        "s.yml:5:1: erp/raw/bills is read here, and nothing produces it",
        "m.sql:1:1: shop/stg/orders depends on ml/x, which nothing produces",
    ]


def test_an_asset_without_a_table_that_a_check_reads_is_reported_where_it_is_named() -> None:
    reports = {
        "ingestion": LocationReport(
            [
                AssetReport("shop/src/codes", "f", 1, False, []),
                AssetReport("shop/raw/codes", "f", 1, True, ["shop/src/codes"]),
            ],
        ),
        "ml": LocationReport(
            check_reads=[
                ReadReport("shop/raw/codes", "a.yaml", 3, 9),
                ReadReport("shop/raw/code", "a.yaml", 4, 9),
                ReadReport("shop/src/codes", "a.yaml", 5, 9),
            ]
        ),
    }
    assert problems(reports) == [
        (
            "a.yaml:4:9: a check reads shop/raw/code, and nothing produces it;"
            " did you mean 'shop/raw/codes'?"
        ),
        "a.yaml:5:9: a check reads shop/src/codes, and nothing here makes a table of it",
    ]


def test_a_job_of_another_location_that_is_not_there_is_reported_where_it_is_named() -> None:
    reports = {
        "ingestion": LocationReport(jobs=["load_all"]),
        "ml": LocationReport(
            job_reads=[
                ReadReport("ingestion/load_all", "a.yaml", 3),
                ReadReport("ingestion/load_al", "a.yaml", 4),
            ]
        ),
    }
    assert problems(reports) == [
        (
            "a.yaml:4:1: there is no job ingestion/load_al; did you mean 'ingestion/load_all'?"
            " (allowed: ingestion/load_all)"
        )
    ]


def test_a_circle_of_dependencies_across_locations_is_found() -> None:
    reports = {
        "one": LocationReport(
            [AssetReport("a", "f.yaml", 1, True, ["c"]), AssetReport("x", "f.yaml", 9, True, ["x"])]
        ),
        "two": LocationReport(
            [
                AssetReport("b", "f.yaml", 2, True, ["a"]),
                AssetReport("c", "f.yaml", 3, True, ["b"]),
                AssetReport("a", "", 0, False, []),
            ]
        ),
    }
    assert problems(reports) == [
        "f.yaml:1:1: a depends on c, which depends on b, which depends on a"
    ]


UNKNOWN = LocationReport(loaded=False)


def test_what_a_location_that_did_not_load_may_have_is_not_missed() -> None:
    reader = LocationReport(
        [AssetReport("b", "b.yaml", 1, True, ["a"])],
        reads=[ReadReport("a", "b.yaml", 2)],
        check_reads=[ReadReport("a", "b.yaml", 3)],
        job_reads=[ReadReport("ingestion/load", "b.yaml", 4)],
    )
    assert len(problems({"ingestion": LocationReport(), "ml": reader})) == 3
    assert problems({"ingestion": UNKNOWN, "ml": reader}) == []


def test_a_location_that_did_not_load_hides_nothing_that_the_others_are_known_to_have() -> None:
    reports = {
        "ingestion": UNKNOWN,
        "one": LocationReport(
            [AssetReport("a", "a.yaml", 1, True, ["b"]), AssetReport("c", "a.yaml", 2, True, [])],
            jobs=["load_all"],
        ),
        "two": LocationReport(
            [AssetReport("b", "b.yaml", 1, True, ["a"]), AssetReport("c", "b.yaml", 2, True, [])],
            job_reads=[ReadReport("one/load_al", "b.yaml", 3), ReadReport("no/much", "b.yaml", 4)],
        ),
    }
    assert problems(reports) == [
        ("b.yaml:2:1: the asset key c is produced by the location two here and by one at a.yaml:2"),
        (
            "b.yaml:3:1: there is no job one/load_al; did you mean 'one/load_all'?"
            " (allowed: one/load_all)"
        ),
        "b.yaml:4:1: there is no job no/much (allowed: one/load_all)",
        "a.yaml:1:1: a depends on b, which depends on a",
    ]

"""One table of the warehouse has one asset that makes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from factories.cli.checking.tables import table_problems
from factories.cli.location_report import AssetReport, LocationReport
from factories.cli.workspace import CodeLocation


def problems(*locations: tuple[str, list[AssetReport]]) -> list[str]:
    reports = {name: LocationReport(assets) for name, assets in locations}
    listed = [CodeLocation(name, "m", Path("python")) for name in reports]
    return [str(problem) for problem in table_problems(listed, reports)]


def asset(key: str, table: str, *, produced: bool = True) -> AssetReport:
    return AssetReport(key, f"{key}.yaml", 3, produced, [], table=table)


@pytest.mark.parametrize("table", ["RAW.SHOP.ORDERS", "raw.shop.orders"])
def test_a_table_that_two_locations_make_under_two_keys_is_told_with_both(table: str) -> None:
    first = ("ingestion", [asset("orders", "RAW.SHOP.ORDERS")])
    second = ("ml", [asset("copies", table)])
    assert problems(first, second) == [
        (
            f"copies.yaml:3:1: the table {table} is made by copies of the location ml here and by"
            " orders of ingestion at orders.yaml:3: each would overwrite what the other loaded"
        )
    ]


def test_a_key_that_two_locations_produce_is_told_as_such_alone() -> None:
    assert problems(*((name, [asset("orders", "RAW.SHOP.ORDERS")]) for name in ("a", "b"))) == []


def test_another_location_may_name_the_table_that_it_reads() -> None:
    made = ("ingestion", [asset("orders", "RAW.SHOP.ORDERS")])
    read = ("ml", [asset("orders_read", "RAW.SHOP.ORDERS", produced=False), asset("model", "")])
    assert problems(made, read) == []


def test_names_that_differ_to_snowflake_are_two_tables() -> None:
    assert problems(("a", [asset("x", "RAW.SHOP.ORDERS"), asset("y", "RAW.SHOP.orders")])) == []

"""What a change does to the graph: each kind of change in one line that a reviewer understands."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from factories.cli.changes.plan import compare
from factories.cli.changes.show_plan import COMMENT, markdown

Graph = dict[str, dict[str, Any]]


def asset(table: str | None, **facts: Any) -> dict[str, Any]:
    return {
        "produced": True,
        "table": table,
        "node": None,
        "file": None,
        "group": "shop",
        "kinds": ["snowflake"],
        "owners": ["team:shop"],
        "tags": {},
        "reads": [],
        "condition": None,
        "partitions": None,
        "freshness": None,
        "code": "1",
        "columns": [],
        **facts,
    }


def rule(name: str, cron: str = "", **settings: str) -> dict[str, Any]:
    label = f"{name}({cron}, UTC)" if cron else name
    return {"label": label, "settings": {"name": name, "cron_schedule": cron, **settings}}


def graph() -> Graph:
    change = rule("on_upstream_change")
    return {
        "ingestion": {
            "assets": {
                "shop/raw/orders": asset(
                    "RAW.SHOP.ORDERS", condition=rule("on_cron_no_deps", "0 5 * * *", tries="3")
                ),
                "shop/src/orders": asset(None, produced=False),
            },
            "checks": {
                "shop/raw/orders:row_count": {
                    "asset": "shop/raw/orders",
                    "name": "row_count",
                    "blocking": True,
                    "condition": None,
                }
            },
            "jobs": ["load"],
            "schedules": {"nightly": {"cron": "0 3 * * * UTC", "on": True}},
            "sensors": {"automation": {"on": True}},
            "error": "",
        },
        "transformation": {
            "assets": {
                "shop/stg/orders": asset(
                    "ANALYTICS.STAGING.ORDERS",
                    reads=["shop/raw/orders"],
                    condition=change,
                    columns=["id", "amount"],
                ),
                "marts/sales/revenue": asset(
                    "ANALYTICS.MARTS.REVENUE", reads=["shop/stg/orders"], condition=change
                ),
            },
            "checks": {},
            "jobs": [],
            "schedules": {},
            "sensors": {},
            "error": "",
        },
    }


def _orders(after: Graph) -> dict[str, Any]:
    found: dict[str, Any] = after["ingestion"]["assets"]["shop/raw/orders"]
    return found


def rename(after: Graph) -> None:
    assets = after["ingestion"]["assets"]
    assets["store/raw/orders"] = assets.pop("shop/raw/orders")
    check = after["ingestion"]["checks"].pop("shop/raw/orders:row_count")
    after["ingestion"]["checks"]["store/raw/orders:row_count"] = {
        **check,
        "asset": "store/raw/orders",
    }


def move(after: Graph) -> None:
    key = "marts/sales/revenue"
    after["ingestion"]["assets"][key] = after["transformation"]["assets"].pop(key)


def lose_a_column(after: Graph) -> None:
    after["transformation"]["assets"]["shop/stg/orders"]["columns"] = ["id"]


def add(after: Graph) -> None:
    after["transformation"]["assets"]["marts/sales/customers"] = asset(
        "ANALYTICS.MARTS.CUSTOMERS", reads=["shop/stg/orders"], condition=rule("on_upstream_change")
    )


def add_a_check(after: Graph) -> None:
    check = {"asset": "shop/raw/orders", "name": "not_null_id", "blocking": True, "condition": None}
    after["ingestion"]["checks"]["shop/raw/orders:not_null_id"] = check


def unblock(after: Graph) -> None:
    after["ingestion"]["checks"]["shop/raw/orders:row_count"]["blocking"] = False


CHANGES: list[tuple[str, Callable[[Graph], object], str]] = [
    (
        "another name of the connection",
        rename,
        (
            "ingestion renamed store/raw/orders: was shop/raw/orders: the same table "
            "RAW.SHOP.ORDERS, but its history stays with the old key, which is still read by "
            "shop/stg/orders"
        ),
    ),
    (
        "another cron",
        lambda after: _orders(after).update(
            condition=rule("on_cron_no_deps", "0 6 * * *", tries="3")
        ),
        "ingestion changed shop/raw/orders: on_cron_no_deps: cron_schedule 0 5 * * * → 0 6 * * *",
    ),
    (
        "more tries",
        lambda after: _orders(after).update(
            condition=rule("on_cron_no_deps", "0 5 * * *", tries="5")
        ),
        "ingestion changed shop/raw/orders: on_cron_no_deps: tries 3 → 5",
    ),
    (
        "another condition",
        lambda after: _orders(after).update(condition=None),
        (
            "ingestion changed shop/raw/orders: condition on_cron_no_deps(0 5 * * *, UTC) → no "
            "condition"
        ),
    ),
    (
        "another group",
        lambda after: _orders(after).update(group="sales"),
        "ingestion changed shop/raw/orders: group shop → sales",
    ),
    (
        "other owners",
        lambda after: _orders(after).update(owners=["ana@example.com"]),
        "ingestion changed shop/raw/orders: owners + ana@example.com - team:shop",
    ),
    (
        "partitions",
        lambda after: _orders(after).update(partitions="Daily, starting 2024-01-01 UTC."),
        (
            "ingestion changed shop/raw/orders: partitions none → Daily, starting 2024-01-01 "
            "UTC.; what was made of the former partitions does not count for the new ones"
        ),
    ),
    (
        "a lost column",
        lose_a_column,
        (
            "transformation changed shop/stg/orders: loses the column amount; marts/sales/revenue "
            "may need it"
        ),
    ),
    (
        "a new asset",
        add,
        (
            "transformation added marts/sales/customers: makes ANALYTICS.MARTS.CUSTOMERS; runs "
            "when an upstream asset is updated"
        ),
    ),
    (
        "a removed asset",
        lambda after: after["transformation"]["assets"].pop("shop/stg/orders"),
        (
            "transformation removed shop/stg/orders: its table ANALYTICS.STAGING.ORDERS stays in "
            "the warehouse; still read by marts/sales/revenue"
        ),
    ),
    (
        "another code location",
        move,
        (
            "ingestion changed marts/sales/revenue: moves from transformation: remove it there "
            "and add it here in one deployment"
        ),
    ),
    (
        "a new check",
        add_a_check,
        "ingestion changed shop/raw/orders: a blocking check not_null_id is added",
    ),
    (
        "a removed check",
        lambda after: after["ingestion"]["checks"].clear(),
        "ingestion changed shop/raw/orders: its check row_count is removed",
    ),
    (
        "other SQL of a model",
        lambda after: after["transformation"]["assets"]["marts/sales/revenue"].update(code="2"),
        (
            "transformation changed marts/sales/revenue: its code has changed; runs when an "
            "upstream asset is updated"
        ),
    ),
    (
        "a removed stream that a model reads",
        lambda after: after["ingestion"]["assets"].pop("shop/raw/orders"),
        (
            "ingestion removed shop/raw/orders: its table RAW.SHOP.ORDERS stays in the warehouse; "
            "still read by shop/stg/orders"
        ),
    ),
    (
        "a check that blocks no more",
        unblock,
        (
            "ingestion changed shop/raw/orders: its check row_count no longer holds back what is "
            "downstream"
        ),
    ),
    (
        "a schedule's cron",
        lambda after: after["ingestion"]["schedules"]["nightly"].update(cron="0 4 * * * UTC"),
        "ingestion changed schedule nightly: cron 0 3 * * * UTC → 0 4 * * * UTC",
    ),
    (
        "a removed job",
        lambda after: after["ingestion"]["jobs"].clear(),
        "ingestion removed job load: what starts it by its name, such as a script, fails",
    ),
    (
        "nothing",
        lambda _after: None,
        "",
    ),
]


@pytest.mark.parametrize(
    ("change", "expected"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES]
)
def test_a_change_is_one_line(change: Callable[[Graph], object], expected: str) -> None:
    before, after = graph(), deepcopy(graph())
    change(after)
    found = compare(before, after).differences
    lines = [f"{one.location} {one.kind} {one.subject}: {one.text}" for one in found]
    assert lines == ([expected] if expected else [])


def test_a_check_that_goes_with_a_new_name_of_its_asset_is_told() -> None:
    before, after = graph(), graph()
    rename(after)
    after["ingestion"]["checks"].clear()
    (line, _) = compare(before, after).differences
    assert (line.subject, line.text) == ("store/raw/orders", "its check row_count is removed")


def test_what_runs_because_of_a_change_and_what_follows_it_in_other_locations() -> None:
    before, after = graph(), graph()
    _orders(after)["code"] = "2"
    plan = compare(before, after)
    assert [f"{run.key} {run.when}" for run in plan.runs] == [
        "shop/raw/orders runs at the next tick: on_cron_no_deps(0 5 * * *, UTC)",
        "marts/sales/revenue follows shop/stg/orders",
        "shop/stg/orders follows shop/raw/orders",
    ]


def test_a_location_that_cannot_be_built_is_told_and_the_others_are_compared() -> None:
    before, after = graph(), graph()
    after["transformation"] = {"error": "SyntaxError: invalid syntax"}
    _orders(after)["group"] = "sales"
    plan = compare(before, after)
    assert plan.errors == {"transformation": "SyntaxError: invalid syntax"}
    assert [one.text for one in plan.differences] == ["group shop → sales"]


def test_the_comment_is_found_again_and_keeps_stars_and_bars_as_text() -> None:
    before, after = graph(), graph()
    _orders(after)["condition"] = rule("on_cron_no_deps", "0 6 * * *", tries="3")
    text = markdown(compare(before, after))
    assert text.startswith(COMMENT)
    assert "0 5 \\* \\* \\* → 0 6 \\* \\* \\*" in text

"""dlt with its own `snowflake` destination."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import dlt
import pytest

from tests.local_snowflake.clients.conftest import Ads

pytestmark = pytest.mark.clients

TREE = {"tree": {"data_type": "json"}}
STAMP = dt.datetime(2020, 1, 1, 1, 2, 3, tzinfo=dt.UTC)


def thing(number: int, **changes: Any) -> dict[str, Any]:
    row = {
        "id": number, "name": f"n{number}", "at": STAMP, "day": dt.date(2020, 1, 2),
        "price": Decimal("1.25"), "share": 0.5, "raw": b"\x00\xff", "tree": {"a": [1, None]},
        "items": [{"k": 1}, {"k": 2}], "ok": True,
    }  # fmt: skip
    return row | changes


# Snowflake finds texts in parquet, also where dlt means JSON.
@pytest.mark.parametrize(
    ("file_format", "tree"), [("jsonl", "tree"), ("parquet", "parse_json(tree)")]
)
def test_append_keeps_types_and_adds_new_columns(ads: Ads, file_format: str, tree: str):
    rows = [thing(1), thing(2, name='a\n"é', raw=None, tree=None)]
    ads.load(rows, file_format, columns=TREE)
    ads.load([{"id": 3, "colour": "red"}], file_format)
    assert ads.rows(
        f"select id, name, at, day, price, share, raw, {tree}:a[0]::int, ok, colour "
        "from things order by id"
    ) == [
        (1, "n1", STAMP, dt.date(2020, 1, 2), Decimal("1.25"), 0.5, b"\x00\xff", 1, True, None),
        (2, 'a\n"é', STAMP, dt.date(2020, 1, 2), Decimal("1.25"), 0.5, None, None, True, None),
        (3, *[None] * 8, "red"),
    ]
    assert ads.rows("select count(*), sum(k) from things__items") == [(4, 6)]


def test_merge_updates_by_key_with_its_children(ads: Ads):
    hints = {"primary_key": "id", "write_disposition": "merge"}
    ads.load([thing(1), thing(2)], "parquet", **hints)
    for _ in range(2):
        ads.load([thing(2, name="new", items=[{"k": 7}]), thing(3, items=[])], "parquet", **hints)
    assert ads.rows("select id, name from things order by id") == [
        (1, "n1"), (2, "new"), (3, "n3"),
    ]  # fmt: skip
    assert ads.rows("select k from things__items order by k") == [(1,), (2,), (7,)]


@pytest.mark.parametrize(
    ("strategy", "swap"),
    [
        ("truncate-and-insert", "false"),
        ("insert-from-staging", "false"),
        ("staging-optimized", "false"),
        ("staging-optimized", "true"),
    ],
)
def test_replace(ads: Ads, monkeypatch: pytest.MonkeyPatch, strategy: str, swap: str):
    monkeypatch.setenv("DESTINATION__REPLACE_STRATEGY", strategy)
    monkeypatch.setenv("DESTINATION__SNOWFLAKE__ENABLE_ATOMIC_SWAP", swap)
    for ids in ([1, 2], [2, 3, 4]):
        ads.load([thing(number) for number in ids], "jsonl", write_disposition="replace")
    assert ads.rows("select id from things order by id") == [(2,), (3,), (4,)]
    assert ads.rows("select count(*) from things__items") == [(6,)]
    ads.load([], "jsonl", write_disposition="replace")
    assert ads.rows("select count(*), (select count(*) from things__items) from things") == [(0, 0)]


def test_state_comes_back_from_the_destination(ads: Ads):
    def numbers(end: int) -> Callable[..., Any]:
        def upto(last: Any = dlt.sources.incremental("id")) -> Any:  # noqa: B008 - dlt's form
            yield [thing(number) for number in range(end)]

        return upto

    ads.load(numbers(2), "jsonl", write_disposition="append")
    ads.load(numbers(4), "jsonl", write_disposition="append", folder="another machine")
    assert ads.rows("select id from things order by id") == [(0,), (1,), (2,), (3,)]
    assert ads.rows("select count(*) from _dlt_loads where status = 0") == [(2,)]

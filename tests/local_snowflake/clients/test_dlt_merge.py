"""dlt's merge strategies."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.local_snowflake.clients.conftest import Ads

pytestmark = pytest.mark.clients


def merge(strategy: str, **rest: Any) -> dict[str, Any]:
    return {
        "write_disposition": {
            "disposition": "merge",
            "strategy": strategy,
            **rest.pop("with_", {}),
        },
        **rest,
    }


def nested(*ids: int, value: int, leaves: int = 1) -> list[dict[str, Any]]:
    kids = [{"k": 1, "leaves": [{"w": value}] * leaves}]
    return [{"id": number, "v": value, "kids": kids} for number in ids]


def counts(ads: Ads) -> list[tuple[Any, ...]]:
    return ads.rows(
        "select count(*), sum(v), (select count(*) from things__kids), "
        "(select count(*) from things__kids__leaves), (select sum(w) from things__kids__leaves) "
        "from things"
    )


@pytest.mark.parametrize("strategy", ["delete-insert", "upsert"])
def test_new_rows_replace_old_ones_at_every_level(ads: Ads, strategy: str):
    hints = merge(strategy, primary_key="id")
    ads.load(nested(0, 1, 2, 3, value=0, leaves=3), "parquet", **hints)
    ads.load(nested(2, 3, 4, value=1, leaves=2), "parquet", **hints)
    assert counts(ads) == [(5, 3, 5, 2 * 3 + 3 * 2, 6)]


def test_insert_only_leaves_known_rows_alone(ads: Ads):
    hints = merge("insert-only", primary_key="id")
    ads.load(nested(0, 1, value=0), "parquet", **hints)
    ads.load(nested(1, 2, value=1), "parquet", **hints)
    assert counts(ads) == [(3, 1, 3, 3, 1)]


def test_cdc_deletes_what_is_absent(ads: Ads):
    hints = merge("cdc", primary_key="id")
    ads.load([{"id": n, "v": 0} for n in (1, 2)], "jsonl", **hints)
    ads.load([{"id": n, "v": 1} for n in (2, 3)], "jsonl", **hints)
    assert ads.rows("select id, v from things order by id") == [(2, 1), (3, 1)]


def test_several_keys(ads: Ads):
    hints = merge("delete-insert", primary_key=("a", "b"), merge_key="day")
    first, second = dt.date(2020, 1, 1), dt.date(2020, 1, 2)
    ads.load([{"a": a, "b": b, "day": first} for a in (1, 2) for b in (1, 2)], "csv", **hints)
    ads.load([{"a": 1, "b": 1, "day": second}, {"a": 9, "b": 9, "day": second}], "csv", **hints)
    assert ads.rows("select a, b from things where day = '2020-01-01' order by 1, 2") == [
        (1, 2), (2, 1), (2, 2),
    ]  # fmt: skip
    ads.load([{"a": 5, "b": 5, "day": first}], "csv", **hints)
    assert ads.rows("select a from things order by a") == [(1,), (5,), (9,)]


def test_newest_version_counts_and_marked_rows_go(ads: Ads):
    columns = {"gone": {"hard_delete": True, "data_type": "bool"}, "v": {"dedup_sort": "desc"}}
    hints = merge("delete-insert", primary_key="id", columns=columns)
    ads.load([{"id": n, "v": 0, "kids": [n]} for n in range(4)], "jsonl", **hints)
    news = [(0, 1, True), (1, 3, False), (1, 9, False), (1, 4, None), (2, 1, False), (2, 2, True)]
    rows = [{"id": number, "v": v, "gone": gone, "kids": [7]} for number, v, gone in news]
    ads.load(rows, "jsonl", **hints)
    assert ads.rows("select id, v from things order by id") == [(1, 9), (3, 0)]
    assert ads.rows("select value from things__kids order by 1") == [(3,), (7,)]


def test_scd2_retires_versions(ads: Ads):
    def load(boundary: str, *rows: tuple[int, int]) -> None:
        validity = {"validity_column_names": ["since", "until"], "boundary_timestamp": boundary}
        hints = merge("scd2", with_=validity)
        ads.load([{"id": number, "v": v} for number, v in rows], "parquet", **hints)

    load("2024-01-01T00:00:00Z", (1, 0), (2, 0))
    load("2024-02-01T12:34:56.789012+02:00", (1, 1))
    load("2024-03-01T00:00:00Z", (1, 1), (2, 0))
    january, march = (dt.datetime(2024, month, 1, tzinfo=dt.UTC) for month in (1, 3))
    february = dt.datetime(2024, 2, 1, 10, 34, 56, 789012, tzinfo=dt.UTC)
    assert ads.rows("select id, v, since, until from things order by id, since") == [
        (1, 0, january, february),
        (1, 1, february, None),
        (2, 0, january, february),
        (2, 0, march, None),
    ]

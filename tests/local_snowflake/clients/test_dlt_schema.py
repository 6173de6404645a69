"""What dlt does to tables and columns that are there, and how it reads what it has loaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dlt
import pytest
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.extract import DltSource

from tests.local_snowflake.clients.conftest import Ads

pytestmark = pytest.mark.clients


def columns(ads: Ads, table: str) -> list[str]:
    rows = ads.rows(
        "select column_name from information_schema.columns "
        f"where table_schema = 'ADS' and table_name = '{table}' order by ordinal_position"
    )
    return [name for (name,) in rows if not name.startswith("_DLT")]


def test_columns_and_tables_are_added(ads: Ads):
    for row in ({"id": 1, "x": 1}, {"id": 2, "x": "abc", "y": 1.5, "kids": [1, 2]}, {"id": 3}):
        ads.load([row], "parquet")
    assert columns(ads, "THINGS") == ["ID", "X", "X__V_TEXT", "Y"]
    assert ads.rows("select id, x, x__v_text, y from things order by id") == [
        (1, 1, None, None), (2, None, "abc", 1.5), (3, None, None, None),
    ]  # fmt: skip
    assert ads.rows("select count(*), sum(value) from things__kids") == [(2, 3)]


def test_hints_become_properties_of_columns(ads: Ads):
    hints: dict[str, Any] = {
        "id": {"nullable": False, "description": 'it\'s the \\ "key";\n?'},
        "day": {"cluster": True, "data_type": "text", "precision": 20},
    }
    ads.load([{"id": 1, "day": "x"}], "jsonl", columns=hints)
    ads.load([{"id": 2, "day": "y", "new": 1, "newer": 2}], "jsonl", columns=hints)
    told = ads.rows(
        "select column_name, is_nullable, character_maximum_length, comment "
        "from information_schema.columns where table_schema = 'ADS' and table_name = 'THINGS' "
        "and column_name in ('ID', 'DAY') order by 1"
    )
    assert told == [("DAY", "YES", 20, None), ("ID", "NO", None, hints["id"]["description"])]


@dlt.source(name="shop")
def shop(count: int, *, more: bool = False) -> Iterator[DltSource]:
    extra = {"extra": 1} if more else {}

    @dlt.resource(name="a")
    def a(last: Any = dlt.sources.incremental("id")) -> Any:  # noqa: B008 - dlt's form
        yield [{"id": number, "kids": [1]} for number in range(count)]

    @dlt.resource(name="b")
    def b() -> Any:
        yield [{"id": number, **extra} for number in range(count)]

    yield from (a, b)


def test_refresh_modes(ads: Ads):
    def load(source: DltSource, **run: Any) -> list[tuple[Any, ...]]:
        ads.run(source, "jsonl", **run)
        return ads.rows(
            "select (select count(*) from a), (select count(*) from a__kids), count(*) from b"
        )

    assert load(shop(3)) == [(3, 3, 3)]
    assert load(shop(5, more=True)) == [(5, 5, 8)]
    assert load(shop(4), refresh="drop_data") == [(4, 4, 4)]
    assert columns(ads, "B") == ["ID", "EXTRA"]
    assert load(shop(6).with_resources("a"), refresh="drop_resources") == [(6, 6, 4)]
    assert load(shop(2), refresh="drop_sources") == [(2, 2, 2)]
    assert columns(ads, "B") == ["ID"]


def test_sql_client_rolls_back_what_failed(ads: Ads):
    info = ads.run(dlt.resource([{"id": 1}], name="things"), "jsonl")
    assert isinstance(info.pipeline, dlt.Pipeline)
    with info.pipeline.sql_client() as client:
        with pytest.raises(DatabaseUndefinedRelation), client.begin_transaction():
            client.execute_many(["delete from things", "select * from nope"])
        assert client.execute_sql("select count(*) from things where id = %s", 1) == [(1,)]
        with client.begin_transaction():
            client.execute_sql("delete from things")
        with client.execute_query("select id from things") as cursor:
            assert cursor.df().empty
        client.execute_many(["create table t (a int)", "insert into t values (1)"])
        with pytest.raises(DatabaseUndefinedRelation):
            client.execute_sql("insert into t values (2); select * from nope; truncate t;")
        # As in Snowflake: what came before the failure stays, what comes after it is not run.
        assert client.execute_sql("select a from t order by a") == [(1,), (2,)]

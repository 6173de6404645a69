"""Asset checks, run on a real table."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
import duckdb
import pytest

from factories.core.execution.checks import LoadedTable, read_previous_columns, run_checks
from factories.core.execution.table_reader import QueryFailedError
from factories.core.meta.check_specs import ChecksSpec, check_names, check_specs

KEY = dg.AssetKey(["shop", "raw", "orders"])


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        connection.execute('create table orders (id int, "Note X" text)')
        connection.execute("insert into orders values (1, 'a'), (2, null), (2, 'c')")
        yield connection


def table(
    database: duckdb.DuckDBPyConnection, previous: Sequence[str] | None = None
) -> LoadedTable:
    return LoadedTable(
        "orders",
        {"id": "INTEGER", "Note X": "VARCHAR"},
        previous,
        lambda sql: database.execute(sql).fetchall(),
    )


def spec(**values: Any) -> ChecksSpec:
    return ChecksSpec.model_validate(values)


def outcomes(checks: ChecksSpec, loaded: LoadedTable) -> dict[str, bool]:
    return {str(r.check_name): r.passed for r in run_checks(KEY, checks, loaded)}


(NOT_NULL_NOTE,) = check_names(ChecksSpec.model_validate({"columns": {"not_null": "note x"}}))
ALL = {
    "rows": {"min": 1},
    "columns": {"not_null": ["id"], "unique": "ID"},
    "schema": "no_removed_columns",
}


def test_every_declared_check_is_run_and_none_else(database: duckdb.DuckDBPyConnection) -> None:
    declared = [check.name for check in check_specs(KEY, spec(**ALL))]
    assert declared == ["row_count", "not_null_id", "unique_id", "no_removed_columns"]
    assert list(outcomes(spec(**ALL), table(database))) == declared


def test_check_that_cannot_run_has_failed_and_spares_the_others() -> None:
    def refuse(_sql: str) -> Sequence[Sequence[Any]]:
        raise QueryFailedError("no such table")

    loaded = LoadedTable("orders", {"id": "NUMBER"}, ["id"], refuse)

    assert outcomes(spec(**ALL), loaded) == {
        "row_count": False,
        "not_null_id": False,
        "unique_id": False,
        "no_removed_columns": True,
    }


def test_checks_block_the_assets_downstream_unless_yaml_says_otherwise() -> None:
    assert all(check.blocking for check in check_specs(KEY, spec(**ALL)))
    assert not any(check.blocking for check in check_specs(KEY, spec(**ALL, blocking=False)))
    assert check_specs(KEY, None) == []


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
def test_row_count(database: duckdb.DuckDBPyConnection, rows: dict[str, int], passed: bool) -> None:
    (result,) = run_checks(KEY, spec(rows=rows), table(database))
    assert result.passed is passed
    assert {key: value.value for key, value in result.metadata.items()} == {"rows": 3, **rows}


def test_columns_are_found_whatever_their_case(database: duckdb.DuckDBPyConnection) -> None:
    checks = spec(columns={"not_null": ["ID", "note x"], "unique": ["id", "note x"]})
    assert outcomes(checks, table(database)) == {
        "not_null_id": True,
        NOT_NULL_NOTE: False,
        "unique_id": False,
        NOT_NULL_NOTE.replace("not_null", "unique"): True,
    }


@pytest.mark.parametrize("name", ['say "hi"', "it's", "100%s", "{column}", "größe", "a;--", " "])
def test_a_column_of_any_name_is_quoted(name: str) -> None:
    quoted = name.replace('"', '""')
    with duckdb.connect(":memory:") as database:
        database.execute(f'create table orders as select null as "{quoted}" union all select 1')
        loaded = LoadedTable(
            "orders", {name: "INTEGER"}, None, lambda sql: database.execute(sql).fetchall()
        )
        checks = spec(columns={"not_null": [name], "unique": [name]})
        assert list(outcomes(checks, loaded).values()) == [False, True]


def test_columns_that_differ_in_case_are_each_checked_where_yaml_writes_them_so() -> None:
    asked: list[str] = []

    def note(sql: str) -> Sequence[Sequence[Any]]:
        asked.append(sql)
        return [[0]]

    loaded = LoadedTable("orders", {"Note": "VARCHAR", "note": "VARCHAR"}, None, note)
    results = list(run_checks(KEY, spec(columns={"not_null": ["note", "Note", "NOTE"]}), loaded))
    assert [result.passed for result in results] == [True, True, False]
    assert asked == [
        'select count(*) from orders where "note" is null',
        'select count(*) from orders where "Note" is null',
    ]
    assert results[2].description == (
        "The table has several columns of this name: Note, note. Name one as it is written."
    )


def test_a_check_of_a_column_that_is_not_there_fails(database: duckdb.DuckDBPyConnection) -> None:
    (result,) = run_checks(KEY, spec(columns={"unique": "order_id"}), table(database))
    assert not result.passed
    assert result.description == "The table has no column order_id."


@pytest.mark.parametrize(
    ("previous", "removed"),
    [(None, []), (["ID"], []), (["id", "amount", "note x", "tax"], ["amount", "tax"])],
)
def test_removed_columns(
    database: duckdb.DuckDBPyConnection, previous: list[str] | None, removed: list[str]
) -> None:
    (result,) = run_checks(KEY, spec(schema="no_removed_columns"), table(database, previous))
    assert result.passed is (not removed)
    assert result.metadata["removed_columns"].value == removed


def test_previous_columns_are_those_of_the_last_materialization() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert read_previous_columns(instance, KEY) is None
        assert read_previous_columns(instance, KEY, before=time.time()) is None
        instance.report_runless_asset_event(dg.AssetMaterialization(KEY))
        assert read_previous_columns(instance, KEY) is None
        for names in (["a"], ["a", "b"]):
            schema = dg.TableSchema([dg.TableColumn(name) for name in names])
            instance.report_runless_asset_event(
                dg.AssetMaterialization(KEY, metadata={"dagster/column_schema": schema})
            )
        assert read_previous_columns(instance, KEY) == ["a", "b"]
        # Of a load that is recorded already, those before it count.
        last = instance.get_latest_materialization_event(KEY)
        assert last
        assert read_previous_columns(instance, KEY, before=last.timestamp) == ["a"]

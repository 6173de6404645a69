"""What is told of a loaded table, whatever its name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import dagster as dg
import pytest

from factories.core.execution.checks.history import LoadHistory
from factories.core.execution.checks.run import run_table_checks
from factories.core.execution.table_reader import QueryFailedError, TableReader, table_metadata
from factories.core.meta.check_schema import ChecksSpec
from factories.core.warehouse.names import Relation, WarehouseNames
from factories.core.warehouse.settings import warehouse_settings
from tests.conftest import WarehouseUnderTest

KEY = dg.AssetKey(["shop", "raw", "order"])


@pytest.fixture
def reader(warehouse: WarehouseUnderTest) -> Iterator[TableReader]:
    with closing(TableReader(warehouse_settings(), WarehouseNames("local"))) as opened:
        yield opened


def test_a_table_and_its_columns_may_have_reserved_words_for_names(
    reader: TableReader, warehouse: WarehouseUnderTest, database: str
) -> None:
    relation = Relation(database, "SELECT", "ORDER")
    warehouse.rows(f'create schema {database}."SELECT"')
    warehouse.rows(f'create table {relation.sql} as select 1 as "GROUP", \'a\' as "FROM"')
    columns = reader.columns(relation)
    assert list(columns) == ["GROUP", "FROM"]
    described = table_metadata(reader, relation, columns)
    assert described["dagster/row_count"] == 1
    assert described["dagster/table_name"] == f"{database}.SELECT.ORDER"

    checks = ChecksSpec.model_validate(
        {"rows": {"min": 1}, "columns": {"not_null": "from", "unique": "group"}}
    )
    with dg.DagsterInstance.ephemeral() as instance:
        found = list(run_table_checks(LoadHistory(instance, KEY), checks, relation, reader))
    assert [(check.check_name, check.passed) for check in found] == [
        ("row_count", True),
        ("not_null_from", True),
        ("unique_group", True),
    ]


def test_statements_name_tables_in_quotes(
    reader: TableReader, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(reader, "query", lambda sql, *_: asked.append(sql) or [(1,)])
    reader.row_count(Relation(database, "SELECT", "ORDER"))
    assert asked == [f'select count(*) from "{database}"."SELECT"."ORDER"']


def test_what_the_warehouse_says_is_reported_without_the_password(
    reader: TableReader, warehouse: WarehouseUnderTest
) -> None:
    password = str(warehouse.settings["password"])
    with pytest.raises(QueryFailedError, match=r"\*\*\*") as caught:
        reader.query(f"select '{password}'::integer")
    assert password not in str(caught.value)

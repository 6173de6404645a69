"""Fixtures for the tests of checks."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import duckdb
import pytest

from tests.factories.core.execution.checks.checked_orders import Orders


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        connection.execute('create table orders (id int, "Note X" text)')
        connection.execute("insert into orders values (1, 'a'), (2, null), (2, 'c')")
        yield connection


@pytest.fixture
def orders(instance: dg.DagsterInstance, database: duckdb.DuckDBPyConnection) -> Orders:
    return Orders(instance, database)

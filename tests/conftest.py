"""Fixtures for all tests: an embedded warehouse of this test process's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection

from local_snowflake import lifecycle
from local_snowflake.target import connection_settings

TIMEOUTS = {"login_timeout": 20, "network_timeout": 60, "socket_timeout": 60}


@dataclass(frozen=True)
class WarehouseUnderTest:
    """A running server.

    Attributes:
        settings: What a client needs to log in, named as snowflake-connector-python names it.
    """

    settings: dict[str, str | int]

    def connect(self, **changes: object) -> SnowflakeConnection:
        """A connection of snowflake-connector-python, with timeouts."""
        return snowflake.connector.connect(**{**self.settings, **TIMEOUTS, **changes})

    def rows(self, sql: str, **changes: object) -> list[tuple[object, ...]]:
        """The rows of one statement on a connection of its own."""
        with self.connect(**changes) as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall()


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseUnderTest]:
    """The embedded warehouse on a folder of its own; one per xdist worker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DP_LOCAL_DIR", str(tmp_path_factory.mktemp("local")))
        patch.setenv("DP_TARGET", "local")
        # At each login the driver asks the clouds' metadata services where it runs; without them
        # that can take the resolver's 5 seconds.
        patch.setenv("SNOWFLAKE_DISABLE_PLATFORM_DETECTION", "true")
        yield WarehouseUnderTest(connection_settings())
        lifecycle.stop()


@pytest.fixture
def database(warehouse: WarehouseUnderTest) -> Iterator[str]:
    """The name of a fresh database, dropped after the test."""
    name = f"T_{uuid.uuid4().hex[:8]}".upper()
    warehouse.rows(f"create database {name}")
    yield name
    warehouse.rows(f"drop database {name}")


@pytest.fixture
def connection(warehouse: WarehouseUnderTest, database: str) -> Iterator[SnowflakeConnection]:
    """A connection whose current schema is PUBLIC of a fresh database."""
    with warehouse.connect(database=database) as opened:
        yield opened

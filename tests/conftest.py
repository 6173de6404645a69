"""Fixtures for all tests: an embedded warehouse of this test process's own."""

from __future__ import annotations

import gc
import signal
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.util import get_temp_dir
from pathlib import Path

import pytest
import snowflake.connector

# What Dagster sets in the processes of runs and steps; not public in 1.13.
from dagster._core.definitions.definitions_load_context import (
    DefinitionsLoadContext,
    DefinitionsLoadType,
)
from snowflake.connector import SnowflakeConnection

from local_snowflake.process import control
from local_snowflake.target import connection_settings
from tests import programs

TIMEOUTS = {"login_timeout": 60, "network_timeout": 180, "socket_timeout": 180}
LASTING = frozenset({"", "RAW", "ANALYTICS", "ML"})  # databases; without one it is as good
# Else a tenth of a login goes into a list of all that the tests' process has imported.
QUIET = {"log_imported_packages_in_telemetry": False}


def pytest_configure(config: pytest.Config) -> None:
    """Let processes that tests start be stopped.

    A script that starts the tests in the background has them ignore SIGINT, which Dagster gives to
    SIGTERM as well, and programs inherit.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.option.markexpr == programs.NONE:
        config.pluginmanager.register(programs.NoPrograms())


@pytest.hookimpl(tryfirst=True)  # before the marks select
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell the tests that start programs from the others, and begin with the longest group."""
    programs.mark_programs(items)
    items.sort(key=lambda item: "test_main_job" not in item.nodeid)


def pytest_collection(session: pytest.Session) -> None:
    """Import the tests without looking for garbage: what is imported stays."""
    assert session
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep the collector from going through all that is imported, again and again.

    What tests leave is freed at once but for few circles: a tenth of their time went into searches.
    """
    assert session
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


def pytest_unconfigure() -> None:
    """Let the interpreter end with nothing left, of which some libraries complain."""
    gc.unfreeze()


@dataclass(frozen=True)
class WarehouseUnderTest:
    """A running server.

    Attributes:
        settings: What a client needs to log in, named as snowflake-connector-python names it.
    """

    settings: dict[str, str | int]
    _kept: dict[str, SnowflakeConnection] = field(default_factory=dict)

    def connect(self, **changes: object) -> SnowflakeConnection:
        """A connection of snowflake-connector-python, with timeouts."""
        return snowflake.connector.connect(**{**self.settings, **TIMEOUTS, **QUIET, **changes})

    def rows(self, sql: str, database: str = "", **changes: object) -> list[tuple[object, ...]]:
        """The rows of one statement; those in a database that stays share a connection.

        A login takes longer than most of the answers.
        """
        if changes or database not in LASTING:
            with self.connect(database=database, **changes) as connection:
                return _fetch(connection, sql)
        if database not in self._kept:
            self._kept[database] = self.connect(**({"database": database} if database else {}))
        return _fetch(self._kept[database], sql)

    def close(self) -> None:
        """End the connections that were kept."""
        for connection in self._kept.values():
            connection.close()


def _fetch(connection: SnowflakeConnection, sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


@pytest.fixture(scope="session", autouse=True)
def temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A temporary folder of this test process's own; what it starts uses it too.

    Steps sweep what killed steps have left there: those of another xdist worker would sweep it
    before the test that killed a step has looked at it. The path is short, for Unix sockets.
    """
    tmp_path_factory.getbasetemp()  # this stays where pytest's user looks for it
    get_temp_dir()  # multiprocessing's own is removed after the last test only
    with (
        tempfile.TemporaryDirectory(prefix="dp-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        Path(folder).chmod(0o711)  # as root, PostgreSQL's server is another user
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture(autouse=True)
def load_definitions_as_code_servers_do() -> Iterator[None]:
    """Definitions are read as a code server reads them.

    A job that Dagster reconstructs in the process of the tests leaves it saying that definitions
    are read again, as in a step, and then most checks of the YAML are left out.
    """
    context = DefinitionsLoadContext(DefinitionsLoadType.INITIALIZATION)
    with DefinitionsLoadContext.scoped(context):
        yield


@pytest.fixture(scope="session", autouse=True)
def instances_without_version() -> Iterator[None]:
    """Instances in memory lack the mark of their storage's version: that takes most of their start.

    It is for storages that a later Dagster opens.
    """
    with pytest.MonkeyPatch.context() as patch:
        for storage in ("runs", "event_log"):
            module = f"dagster._core.storage.{storage}.in_memory"
            patch.setattr(f"{module}.stamp_alembic_rev", lambda _config, _connection: None)
        yield


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseUnderTest]:
    """The embedded warehouse on a folder of its own; one per xdist worker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DP_LOCAL_DIR", str(tmp_path_factory.mktemp("local")))
        patch.setenv("DP_TARGET", "local")
        # Whatever other environments there are: handlers run in the one that has everything.
        patch.setenv("DP_LOCAL_PYTHON", sys.executable)
        # At each login the driver asks the clouds' metadata services where it runs; without them
        # that can take the resolver's 5 seconds.
        patch.setenv("SNOWFLAKE_DISABLE_PLATFORM_DETECTION", "true")
        started = WarehouseUnderTest(connection_settings())
        yield started
        started.close()
        control.stop()


@contextmanager
def new_database(warehouse: WarehouseUnderTest) -> Iterator[str]:
    """The name of a fresh database, dropped at the end."""
    name = f"T_{uuid.uuid4().hex[:8]}".upper()
    warehouse.rows(f"create database {name}")
    yield name
    warehouse.rows(f"drop database {name}")


@pytest.fixture
def database(warehouse: WarehouseUnderTest) -> Iterator[str]:
    """The name of a fresh database, dropped after the test."""
    with new_database(warehouse) as name:
        yield name


@pytest.fixture
def connection(warehouse: WarehouseUnderTest, database: str) -> Iterator[SnowflakeConnection]:
    """A connection whose current schema is PUBLIC of a fresh database."""
    with warehouse.connect(database=database) as opened:
        yield opened

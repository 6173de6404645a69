"""The process that is started ahead of the next procedure's call."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import snowflake.connector
from snowflake.connector.cursor import SnowflakeCursor

from local_snowflake.process import lifecycle
from local_snowflake.routines.definitions import FUNCTION, PROCEDURE, Import, Routine
from local_snowflake.routines.handlers import environment as environments
from local_snowflake.routines.handlers import spare as spares
from local_snowflake.routines.handlers.environment import HandlerEnvironment
from local_snowflake.sql.errors import SqlError
from local_snowflake.sql.names import Name
from local_snowflake.target import connection_settings
from tests.conftest import TIMEOUTS
from tests.local_snowflake.handlers import (
    define,
    handler_processes,
    handlers_of,
    spares_of,
    wait_until,
)

WHO = "import os, sys\ndef main(session):\n    return f\"{os.getpid()} {'HERE' in os.environ}\""
MARKS = "import os\ndef main(session):\n    os.environ['HERE'] = 'yes'\n    return str(os.getpid())"


@pytest.fixture
def cursor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SnowflakeCursor]:
    """A client of a server of the test's own."""
    monkeypatch.setenv("DP_LOCAL_DIR", str(tmp_path))
    try:
        with snowflake.connector.connect(
            **{**connection_settings(), "schema": "PUBLIC", **TIMEOUTS}
        ) as connection:
            yield connection.cursor()
    finally:
        lifecycle.stop()


def called(cursor: SnowflakeCursor, name: str) -> str:
    return str(cursor.execute(f"call {name}()").fetchone()[0])


def procedure(cursor: SnowflakeCursor, name: str, body: str) -> None:
    more = "packages = ('snowflake-snowpark-python')"
    define(cursor, f"{name}()", "string", body, kind="procedure", more=more)


def test_each_call_has_a_fresh_process_that_the_call_before_has_started(cursor: SnowflakeCursor):
    procedure(cursor, "who", WHO)
    procedure(cursor, "marks", MARKS)
    assert spares_of() == []  # nobody has needed one

    called(cursor, "marks")
    (first,) = spares_of()
    assert called(cursor, "who") == f"{first.pid} False"
    (second,) = spares_of()
    assert second.pid != first.pid
    assert not first.is_running()
    assert handlers_of() == []

    # A function's process goes on for as long as its session does, and needs no Snowpark.
    define(cursor, "one()", "int", "import os\ndef main():\n    return os.getpid()")
    assert cursor.execute("select one()").fetchone()[0] != second.pid
    assert spares_of() == [second]


def test_a_spare_process_that_was_killed_is_replaced(cursor: SnowflakeCursor):
    procedure(cursor, "who", WHO)
    called(cursor, "who")
    (spare,) = spares_of()
    spare.kill()
    wait_until(lambda: not spare.is_running() or spare.status() == psutil.STATUS_ZOMBIE)
    assert called(cursor, "who") != f"{spare.pid} False"
    assert len(spares_of()) == 1


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_spare_process_ends_with_the_server(cursor: SnowflakeCursor, end: signal.Signals):
    procedure(cursor, "who", WHO)
    called(cursor, "who")
    (spare,) = spares_of()
    os.kill(lifecycle.status().pid or 0, end)
    wait_until(lambda: not spare.is_running())


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[HandlerEnvironment]:
    made = HandlerEnvironment(tmp_path / "handlers", tmp_path / "stages")
    yield made
    made.close()
    assert not made.folder.exists()


def own_handlers() -> list[psutil.Process]:
    """The processes of handlers that this test process has started."""
    return [process for process, _ in handler_processes(os.getpid(), recursive=False)]


def routine(kind: str = PROCEDURE) -> Routine:
    return Routine(kind, Name("D", "S", "R"), (), None, (), "main", "", "3.11", (), ())


def test_a_spare_process_of_another_environment_is_not_used(
    environment: HandlerEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    environment.prepare_spare()
    (old,) = own_handlers()
    python = tmp_path / "python"
    python.symlink_to(environment.python)
    monkeypatch.setenv("DP_LOCAL_PYTHON", str(python))
    started = environment.start(routine())
    assert not old.is_running()
    assert started.process.is_alive
    started.close()


def test_a_spare_process_that_nobody_needs_ends_by_itself(
    environment: HandlerEnvironment, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(spares, "SPARE_SECONDS", 0.0)
    monkeypatch.setattr(environments, "SPARE_SECONDS", 0.0)
    monkeypatch.setattr(environments, "START_SECONDS", 0.0)
    environment.prepare_spare()
    (spare,) = own_handlers()
    wait_until(lambda: spare.status() == psutil.STATUS_ZOMBIE)
    started = environment.start(routine())
    assert not spare.is_running()
    started.close()


def test_there_is_one_spare_process_and_none_after_the_end(environment: HandlerEnvironment):
    environment.prepare_spare()
    environment.prepare_spare()
    (spare,) = own_handlers()
    started = environment.start(routine(FUNCTION))
    assert len(own_handlers()) == 2
    started.close()
    environment.close()
    assert not spare.is_running()
    environment.prepare_spare()
    assert own_handlers() == []


def test_a_missing_import_ends_the_process_that_was_taken(environment: HandlerEnvironment):
    environment.prepare_spare()
    with pytest.raises(SqlError, match="no longer there"):
        environment.start(replace(routine(), imports=(Import(None, "gone.py"),)))
    assert own_handlers() == []

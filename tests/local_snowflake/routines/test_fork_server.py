"""The process that forks the processes of handlers."""

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

from local_snowflake.process import control
from local_snowflake.routines.definitions import PROCEDURE, Import, Routine
from local_snowflake.routines.handler_processes import environment as environments
from local_snowflake.routines.handler_processes import forked_processes
from local_snowflake.routines.handler_processes.environment import HandlerEnvironment
from local_snowflake.routines.handler_processes.process import HandlerEndedError
from local_snowflake.sql.errors import SqlError
from local_snowflake.sql.names import Name
from local_snowflake.target import connection_settings
from tests.conftest import TIMEOUTS
from tests.local_snowflake.handlers import (
    children,
    define,
    fork_servers,
    handlers_of,
    wait_until,
)

# A group: one server for all of them.
pytestmark = [pytest.mark.programs, pytest.mark.xdist_group("fork server")]

WHO = "import os, sys\ndef main(session):\n    return f\"{os.getpid()} {'HERE' in os.environ}\""
MARKS = "import os\ndef main(session):\n    os.environ['HERE'] = 'yes'\n    return str(os.getpid())"
DRAWS = """
import random, uuid
import numpy
def main(session):
    return f"{random.random()} {numpy.random.random()} {uuid.uuid4()}"
"""


@pytest.fixture(scope="module")
def cursor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnowflakeCursor]:
    """A client of a server of the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DP_LOCAL_DIR", str(tmp_path_factory.mktemp("local")))
        try:
            with snowflake.connector.connect(
                **{**connection_settings(), "schema": "PUBLIC", **TIMEOUTS}
            ) as connection:
                yield connection.cursor()
        finally:
            control.stop()


def called(cursor: SnowflakeCursor, name: str) -> str:
    return str(cursor.execute(f"call {name}()").fetchone()[0])


def procedure(cursor: SnowflakeCursor, name: str, body: str) -> None:
    more = "packages = ('snowflake-snowpark-python')"
    define(cursor, f"{name}()", "string", body, kind="procedure", more=more)


def test_each_call_has_a_process_in_which_nothing_has_run(cursor: SnowflakeCursor):
    assert fork_servers() == []  # nobody has needed one
    procedure(cursor, "who", WHO)
    procedure(cursor, "marks", MARKS)

    marked = called(cursor, "marks")
    (server,) = fork_servers()
    who, has_mark = called(cursor, "who").split()

    assert (who != marked, has_mark) == (True, "False")
    assert fork_servers() == [server]
    assert handlers_of() == []


def test_each_process_draws_random_numbers_of_its_own(cursor: SnowflakeCursor):
    procedure(cursor, "draws", DRAWS)
    drawn = list(zip(*(called(cursor, "draws").split() for _ in range(3)), strict=True))
    assert [len(set(values)) for values in drawn] == [3, 3, 3]


def test_a_package_that_a_handler_declares_is_there_for_the_next_one(cursor: SnowflakeCursor):
    body = "import sys\ndef main(session):\n    return str('sklearn' in sys.modules)"
    more = "packages = ('snowflake-snowpark-python', 'scikit-learn')"
    procedure(cursor, "other", body)
    define(cursor, "learns()", "string", body, kind="procedure", more=more)
    assert called(cursor, "other") == "False"
    called(cursor, "learns")
    wait_until(lambda: called(cursor, "other") == "True")


def test_one_that_was_killed_is_replaced_and_takes_its_handlers_along(cursor: SnowflakeCursor):
    define(cursor, "one()", "int", "def main():\n    return 1")
    assert cursor.execute("select one()").fetchone()[0] == 1
    (server,) = fork_servers()
    (handler,) = handlers_of()
    server.kill()
    wait_until(lambda: not handler.is_running())
    procedure(cursor, "who", WHO)

    assert called(cursor, "who")
    assert [found.pid for found in fork_servers()] != [server.pid]
    with pytest.raises(snowflake.connector.ProgrammingError, match="did not come to its end"):
        cursor.execute("select one()")
    assert cursor.execute("select one()").fetchone()[0] == 1


def test_it_ends_with_a_server_that_is_stopped(cursor: SnowflakeCursor):
    _it_ends_with_the_server(cursor, signal.SIGTERM)


def test_it_ends_with_a_server_that_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DP_LOCAL_DIR", str(tmp_path))
    with snowflake.connector.connect(
        **{**connection_settings(), "schema": "PUBLIC", **TIMEOUTS}
    ) as connection:
        _it_ends_with_the_server(connection.cursor(), signal.SIGKILL)


def _it_ends_with_the_server(cursor: SnowflakeCursor, end: signal.Signals) -> None:
    define(cursor, "two()", "int", "def main():\n    return 2")
    cursor.execute("select two()")
    processes = [*fork_servers(), *handlers_of()]
    assert len(processes) > 1
    os.kill(control.status().pid or 0, end)
    wait_until(lambda: not any(process.is_running() for process in processes))


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[HandlerEnvironment]:
    made = HandlerEnvironment(tmp_path / "handlers", tmp_path / "stages")
    yield made
    made.close()
    assert not made.folder.exists()
    wait_until(lambda: not own_fork_servers())


def own_fork_servers() -> list[psutil.Process]:
    """Those that this test process has started."""
    return [found for found in fork_servers(os.getpid()) if found.status() != psutil.STATUS_ZOMBIE]


ROUTINE = Routine(PROCEDURE, Name("D", "S", "R"), (), None, (), "main", "", "3.11", (), ())


def test_another_python_has_one_of_its_own(
    environment: HandlerEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    old = environment.start(ROUTINE)
    python = tmp_path / "python"
    python.symlink_to(environment.python)
    monkeypatch.setenv("DP_LOCAL_PYTHON", str(python))
    new = environment.start(ROUTINE)
    assert len(own_fork_servers()) == 2
    assert old.process.is_alive  # the old one forks no more, and ends with its last handler
    old.close()
    wait_until(lambda: len(own_fork_servers()) == 1)
    assert new.process.is_alive
    new.close()


def test_one_that_is_old_is_replaced(
    environment: HandlerEnvironment, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(forked_processes, "MAX_SECONDS", 0.0)
    pids = []
    for _ in range(2):
        started = environment.start(ROUTINE)
        pids.append({found.pid for found in own_fork_servers()})
        started.close()
    wait_until(lambda: len(own_fork_servers()) == 1)
    assert not {found.pid for found in own_fork_servers()} & pids[0]


def test_a_missing_import_starts_nothing(environment: HandlerEnvironment):
    with pytest.raises(SqlError, match="no longer there"):
        environment.start(replace(ROUTINE, imports=(Import(None, "gone.py"),)))
    assert own_fork_servers() == []
    assert list(environment.folder.iterdir()) == []


def test_a_python_that_does_not_run_is_an_error_and_leaves_no_folder(
    environment: HandlerEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 3\n")
    python.chmod(0o700)
    monkeypatch.setenv("DP_LOCAL_PYTHON", str(python))
    with pytest.raises(SqlError, match="The process that starts handlers has ended"):
        environment.start(ROUTINE)
    assert list(environment.folder.iterdir()) == []


def test_where_nothing_can_be_forked_each_handler_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(environments, "can_fork", lambda: False)
    environment = HandlerEnvironment(tmp_path / "handlers", tmp_path / "stages")
    before = set(children(psutil.Process()))
    started = environment.start(ROUTINE)
    assert own_fork_servers() == []
    started.process.send(b'{"kind": "FUNCTION", "handler": "main", "body": "", "imports": []}')
    assert b"main" in started.process.receive(60)  # the body has no such function
    with pytest.raises(HandlerEndedError):
        started.process.receive(60)
    started.close()
    environment.close()
    assert set(children(psutil.Process())) <= before

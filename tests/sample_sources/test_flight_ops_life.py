from __future__ import annotations

import json
import os
import pwd
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from sample_sources import lifecycle
from sample_sources.errors import SampleError
from sample_sources.flight_ops import url
from sample_sources.flight_ops.address import State, current_url, url_in, write_state
from sample_sources.flight_ops.postgres import EmbeddedPostgres, let_through
from sample_sources.flight_ops.system import FlightOps

pytestmark = pytest.mark.xdist_group("sample_sources")

SECONDS = 60


def servers(folder: Path) -> list[psutil.Process]:
    """The database servers on a folder."""
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        arguments = process.info["cmdline"] or []
        if process.info["name"] == "postgres" and str(folder / "flight_ops/postgres") in arguments:
            found.append(process)
    return found


def count(address: str, table: str = "ops.flights") -> int:
    with psycopg.connect(address, connect_timeout=10) as connection:
        return connection.execute(f"select count(*) from {table}".encode()).fetchall()[0][0]


def wait_for(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


@pytest.mark.parametrize(
    "sign",
    ["PG_VERSION", "postmaster.opts"],
    ids=["killed_while_created", "killed_while_filled"],
)
def test_a_killed_start_is_never_served_but_built_anew_once_and_that_survives_a_crash(
    own_dir: Path, sign: str, sample: Callable[..., subprocess.Popen[str]]
) -> None:
    killed = sample("up", "flight_ops")
    wait_for((own_dir / "flight_ops/postgres" / sign).exists)
    killed.send_signal(signal.SIGKILL)
    killed.wait(SECONDS)
    assert current_url() is None
    assert FlightOps().status().running is False

    starters = [sample("up", "flight_ops", "--json") for _ in range(2)]
    said = [json.loads(starter.communicate(timeout=SECONDS)[0]) for starter in starters]

    assert said[0] == said[1] == [{"name": "flight_ops", "url": current_url()}]
    (server,) = servers(own_dir)
    server.kill()  # at once: what was called complete must be on disk
    wait_for(lambda: current_url() is None)
    assert count(url()) == 336_776


def test_what_a_killed_server_left_behind_is_ended_before_the_next_starts(filled_dir: Path) -> None:
    (server,) = servers(filled_dir)
    connection = psycopg.connect(url(), connect_timeout=10)
    worker = psutil.Process(connection.info.backend_pid)
    # It computes without a pause, so it does not notice that its server is gone.
    connection.pgconn.send_query(
        b"select count(*) from generate_series(1, 99999) a, generate_series(1, 99999) b,"
        b" generate_series(1, 99999) c"
    )
    wait_for(lambda: worker.status() == psutil.STATUS_RUNNING)
    server.kill()
    wait_for(lambda: current_url() is None)
    assert worker.cmdline()

    assert count(url()) == 336_776
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
    connection.close()


def test_a_stale_pid_file_that_names_another_process_does_not_matter(filled_dir: Path) -> None:
    FlightOps().down()
    pid_file = filled_dir / "flight_ops/postgres/postmaster.pid"
    pid_file.write_text(
        f"{os.getpid()}\n{pid_file.parent}\n1\n5432\n{pid_file.parent}\n\n0 0\nready\n"
    )
    assert count(url(), "ops.airlines") == 16


def test_an_environment_without_postgresql_starts_it_through_the_host_environment(
    filled_dir: Path,
) -> None:
    FlightOps().down()
    python = lifecycle.PROJECT_ROOT / ".venvs/ingestion/bin/python"
    program = "from sample_sources.flight_ops import url; print(url())"
    done = subprocess.run(
        [python, "-c", program], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    assert done.stdout.strip() == current_url()


def test_without_any_environment_the_error_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(lifecycle, "PROJECT_ROOT", tmp_path)
    with pytest.raises(SampleError, match="Run `make setup`, or set FLIGHT_OPS_URL"):
        lifecycle.ensure_running("flight_ops", current_url=lambda: None, needs="no_such_package")


def test_a_failed_start_says_why(own_dir: Path) -> None:
    (own_dir / "flight_ops").mkdir()
    write_state(State(layout=0, socket_dir=None))
    with pytest.raises(SampleError, match="made by another version: run `dp sample reset --yes`"):
        url()


@pytest.mark.parametrize(
    "name",
    ["short & 100% odd", "long & 100% odd" + "x" * 100],
    ids=["short", "too_long_for_a_socket"],
)
def test_folders_of_any_name_work(own_dir: Path, name: str) -> None:
    server = EmbeddedPostgres(own_dir / name / "postgres")
    server.create()
    try:
        socket_dir = server.start()
        assert count(url_in(socket_dir), "pg_class") > 0
        assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
        assert (socket_dir == server.data) == name.startswith("short")
    finally:
        server.remove()
    assert not server.data.exists()
    assert not socket_dir.exists()


def test_another_user_gets_through_closed_folders_and_sees_nothing(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    program = closed / "bin" / "program"
    program.parent.mkdir(parents=True)
    closed.chmod(0o700)

    let_through(program)

    assert closed.stat().st_mode & 0o777 == 0o701


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server needs a user of its own")
def test_servers_that_start_at_once_share_one_account() -> None:
    name = f"dp{os.getpid()}"
    program = (
        "from sample_sources.flight_ops import postgres\n"
        f"postgres._ROOTS_USER = {name!r}\n"
        "input()\n"
        "print(postgres._account().pw_uid)"
    )
    try:
        starters = [
            subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(6)
        ]
        for starter in starters:
            assert starter.stdin is not None
            starter.stdin.write("go\n")
        for starter in starters:
            assert starter.stdin is not None
            starter.stdin.flush()
        ids = {starter.communicate(timeout=60)[0].strip() for starter in starters}
        assert ids == {str(pwd.getpwnam(name).pw_uid)}
    finally:
        subprocess.run(["userdel", name], check=False)

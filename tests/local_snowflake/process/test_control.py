"""Starting, finding, stopping and restarting the server."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest
import snowflake.connector

from local_snowflake.process import control
from local_snowflake.process.state import ServerState, read_state, state_file, write_state


@pytest.fixture
def folder(tmp_path: Path):
    yield tmp_path / "snowflake"
    control.stop(tmp_path / "snowflake")


def connect(state: ServerState):
    return snowflake.connector.connect(
        account="fakesnow", user="dp", password=state.token, host="127.0.0.1", port=state.port,
        protocol="http", database="RAW", schema="PUBLIC",
        login_timeout=20, network_timeout=30, socket_timeout=30,
    )  # fmt: skip


def test_of_several_starters_one_wins(folder: Path):
    with ThreadPoolExecutor(3) as pool:
        states = list(pool.map(lambda _: control.ensure_running(folder), range(3)))
    assert len({state.pid for state in states}) == 1


def test_state_file_is_private_and_the_log_has_no_token(folder: Path):
    state = control.ensure_running(folder)
    with connect(state) as connection:
        connection.cursor().execute("select 1")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(state_file(folder).stat().st_mode) == 0o600
    assert state.token not in (folder / "server.log").read_text()


def test_second_server_on_a_folder_is_refused(folder: Path):
    control.ensure_running(folder)
    command = [sys.executable, "-m", "local_snowflake.process.server", "--folder", str(folder)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert "Another server of the embedded warehouse uses" in second.stderr


def test_stop_keeps_the_data_and_reset_deletes_them(folder: Path):
    with connect(control.ensure_running(folder)) as connection:
        connection.cursor().execute("create table t as select 1 as a")
    assert control.stop(folder)
    assert not control.status(folder).running
    with connect(control.ensure_running(folder)) as connection:
        assert connection.cursor().execute("select a from t").fetchall() == [(1,)]
    control.reset(folder)
    assert not (folder / "databases").exists()


def test_kill_in_a_transaction_loses_only_what_was_not_committed(folder: Path):
    state = control.ensure_running(folder)
    cursor = connect(state).cursor()
    cursor.execute("create table t (a int)")
    cursor.execute("insert into t select seq4() from table(generator(rowcount => 1000))")
    cursor.execute("begin")
    cursor.execute("insert into t values (-1)")
    os.kill(state.pid, signal.SIGKILL)
    with connect(control.ensure_running(folder)) as connection:
        rows = connection.cursor().execute("select count(*), min(a) from t").fetchall()
    assert rows == [(1000, 0)]


def test_foreign_server_on_the_port_never_gets_the_token(folder: Path):
    seen: list[str] = []

    class Foreign(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.path + str(self.headers))
            body = json.dumps({"proof": "no idea", "sessions": 0}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Foreign)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        folder.mkdir(parents=True)
        token = "the-token"
        write_state(folder, ServerState(os.getpid(), server.server_port, token, "then"))
        assert not control.status(folder).running
        assert control.ensure_running(folder).port != server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert seen
    assert not any(token in request for request in seen)


def test_idle_server_stops_by_itself(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DP_LOCAL_IDLE_MINUTES", "0.01")
    state = control.ensure_running(folder)
    assert control.wait_until_stopped(folder)
    assert read_state(folder) is None
    monkeypatch.setenv("DP_LOCAL_IDLE_MINUTES", "30")
    assert control.ensure_running(folder).pid != state.pid


def test_server_whose_folder_is_deleted_stops_by_itself(folder: Path):
    state = control.ensure_running(folder)
    shutil.rmtree(folder)
    psutil.Process(state.pid).wait(timeout=60)

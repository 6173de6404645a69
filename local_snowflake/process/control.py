"""Start, find, stop and reset the server, from outside.

Standard library and filelock only: an environment without fakesnow can import it, at low cost.
"""

from __future__ import annotations

import hmac
import http.client
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from local_snowflake.identity import HOST, PROJECT_ROOT, prove_identity
from local_snowflake.process.state import (
    ServerState,
    default_folder,
    lock_file,
    log_file,
    read_state,
    starter_lock_file,
    state_file,
)

IDENTITY_SECONDS = 5.0
START_SECONDS = 60.0
BUSY_SECONDS = 30.0
STOP_SECONDS = 30.0
_POLL_SECONDS = 0.05
# The variables that the server gets from its starter's environment: no others, no secrets.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH")


class LocalWarehouseError(Exception):
    """The embedded warehouse could not be started or stopped; the message says what to do."""


@dataclass(frozen=True)
class Status:
    """The status of the server.

    Attributes:
        running: Whether it answers and has proved its identity.
        folder: Where its files are.
        port: Where it listens.
        pid: Its process.
        started_at: When it started, ISO 8601 in UTC.
        sessions: How many logins are open.
    """

    running: bool
    folder: str
    port: int | None = None
    pid: int | None = None
    started_at: str | None = None
    sessions: int | None = None


def ensure_running(folder: Path | None = None) -> ServerState:
    """Return the running server; start it if there is none. Of several callers one starts it.

    Args:
        folder: Where its files are; by default `default_folder()`.

    Raises:
        LocalWarehouseError: It cannot be started; the message names the log.
    """
    folder = folder or default_folder()
    with _explained_system_errors(folder):
        running = _running(folder)
        if running:
            return running[0]
        # Other users of this machine read neither the data nor the log.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _starter_lock(folder):
            running = _running(folder)
            return running[0] if running else _start(folder)


def find_running(folder: Path | None = None) -> ServerState | None:
    """Return the running server; None if there is none.

    Raises:
        LocalWarehouseError: The folder cannot be read.
    """
    folder = folder or default_folder()
    with _explained_system_errors(folder):
        running = _running(folder)
    return running[0] if running else None


def status(folder: Path | None = None) -> Status:
    """Return the status of the server; start nothing.

    Raises:
        LocalWarehouseError: The folder cannot be read.
    """
    folder = folder or default_folder()
    with _explained_system_errors(folder):
        running = _running(folder)
    if not running:
        return Status(running=False, folder=str(folder))
    state, sessions = running
    return Status(
        running=True,
        folder=str(folder),
        port=state.port,
        pid=state.pid,
        started_at=state.started_at,
        sessions=sessions,
    )


def stop(folder: Path | None = None) -> bool:
    """Stop the server cleanly.

    Returns:
        Whether one was running.

    Raises:
        LocalWarehouseError: It does not end.
    """
    folder = folder or default_folder()
    with _explained_system_errors(folder):
        if not folder.exists():
            return False
        with _starter_lock(folder):
            return _stop(folder)


def reset(folder: Path | None = None) -> None:
    """Stop the server and delete all its databases and stages.

    Raises:
        LocalWarehouseError: The server does not end.
    """
    folder = folder or default_folder()
    with _explained_system_errors(folder):
        if not folder.exists():
            return
        with _starter_lock(folder):
            _reset(folder)


def _reset(folder: Path) -> None:
    _stop(folder)
    for name in ("databases", "stages", "spill", "handlers"):
        shutil.rmtree(folder / name, ignore_errors=True)
    log_file(folder).unlink(missing_ok=True)


def wait_until_stopped(folder: Path) -> bool:
    """Wait until no server uses the folder; return False if one still does after `STOP_SECONDS`."""
    try:
        # The server holds this lock until its files are closed.
        with FileLock(lock_file(folder), timeout=STOP_SECONDS):
            return True
    except Timeout:
        return False


@contextmanager
def _explained_system_errors(folder: Path) -> Iterator[None]:
    """Say in a sentence what the system refuses: a folder that is read-only, a full disk.

    Raises:
        LocalWarehouseError: In place of an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise LocalWarehouseError(
            f"The embedded warehouse cannot use the folder {folder}:"
            f" {error.strerror or type(error).__name__}. DP_LOCAL_DIR names another one."
        ) from error


def _starter_lock(folder: Path) -> FileLock:
    return FileLock(starter_lock_file(folder), timeout=START_SECONDS + STOP_SECONDS)


def _running(folder: Path, patience: float = IDENTITY_SECONDS) -> tuple[ServerState, int] | None:
    """Return the server of the state file and its number of sessions, if it proves its identity.

    Another program may use the port by now: it never sees the token.

    Args:
        folder: Where the databases are.
        patience: Seconds within which the server must answer.
    """
    state = read_state(folder)
    if state is None:
        return None
    nonce = secrets.token_hex(16)
    connection = http.client.HTTPConnection(HOST, state.port, timeout=patience)
    try:
        connection.request("GET", f"/local/identity?nonce={nonce}")
        answer = json.loads(connection.getresponse().read(10_000))
        proof, sessions = str(answer["proof"]), int(answer["sessions"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()
    if not hmac.compare_digest(proof.encode(), prove_identity(state.token, nonce).encode()):
        return None
    return state, sessions


def _start(folder: Path) -> ServerState:
    command = [interpreter(), "-m", "local_snowflake.process.server", "--folder", str(folder)]
    environment = {k: v for k, v in os.environ.items() if k in _ENVIRONMENT or k.startswith("DP_")}
    with log_file(folder).open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        running = _running(folder)
        if running:
            return running[0]
        if process.poll() is not None:
            # Perhaps a server holds the folder and was too busy to answer in time.
            busy = _running(folder, BUSY_SECONDS)
            if busy:
                return busy[0]
            break
        time.sleep(_POLL_SECONDS)
    process.kill()
    process.wait()
    raise LocalWarehouseError(
        f"The embedded warehouse did not start: {_last_line(folder)} (log: {log_file(folder)})"
    )


def _stop(folder: Path) -> bool:
    running = _running(folder)
    if not running:
        return False
    os.kill(running[0].pid, signal.SIGTERM)
    if not wait_until_stopped(folder):
        raise LocalWarehouseError(
            f"The embedded warehouse (process {running[0].pid}) did not end within "
            f"{STOP_SECONDS:.0f} seconds."
        )
    state_file(folder).unlink(missing_ok=True)
    return True


def interpreter() -> str:
    """Return the Python that has what the server imports: this one, or the host's environment.

    Raises:
        LocalWarehouseError: There is none.
    """
    if importlib.util.find_spec("fakesnow"):
        return sys.executable
    host = PROJECT_ROOT / ".venvs" / "host" / "bin" / "python"
    if host.exists():
        return str(host)
    raise LocalWarehouseError(
        f"The embedded warehouse needs the environment {host.parent.parent}: run `make setup`."
    )


def _last_line(folder: Path) -> str:
    lines = log_file(folder).read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it printed nothing"

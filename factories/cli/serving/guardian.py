"""Runs `dagster dev`, and ends all of it when the `dp` that started it ends, however that ends.

`dp` holds one end of a pipe. When it dies, killed or not, the system closes that end, and this
process ends what it has started: the webserver, the daemon, code servers, runs and their steps. The
lock of the instance, which this process inherits, is free only then.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import psutil

from factories.core.execution.subprocesses import end_with_parent
from factories.core.process_identity import SERVED_BY_VARIABLE

STOP_SECONDS = 30
ABANDONED_SECONDS = 3  # for what nobody waits for
KILL_SECONDS = 10


def guard(pipe: int, command: Sequence[str]) -> int:
    """Run a command until it ends or the pipe is closed; leave none of its processes behind.

    Args:
        pipe: The end of a pipe to read; whoever holds the other end wants the command.
        command: The program and its arguments.

    Returns:
        Its exit status.
    """
    process = subprocess.Popen([*end_with_parent(), *command])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: process.terminate())
    watcher = threading.Thread(target=_stop_when_closed, args=(pipe, process), daemon=True)
    watcher.start()
    status = process.wait()
    end_session(os.getsid(0))
    return status


def _stop_when_closed(pipe: int, process: subprocess.Popen[bytes]) -> None:
    """Stop `dagster dev`, which stops its children; one that does not end is killed.

    Whoever holds the other end writes to it before it closes it, unless it is killed.
    """
    patience = STOP_SECONDS if os.read(pipe, 1) else ABANDONED_SECONDS
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()


def end_session(session: int, marked: str | None = None) -> None:
    """Kill the other processes of a session: those that one process and its children started.

    What begins a session of its own, as the embedded warehouse does, goes on.

    Args:
        session: The number of its first process.
        marked: What the environment of each must say in `DP_SERVED_BY`; whatever, by default.
    """
    deadline = time.monotonic() + KILL_SECONDS
    while found := [each for each in psutil.process_iter() if _is_of(each, session, marked)]:
        for process in found:
            with suppress(psutil.Error):
                process.kill()
        if time.monotonic() > deadline:
            return
        psutil.wait_procs(found, timeout=1)


def _is_of(process: psutil.Process, session: int, marked: str | None) -> bool:
    if process.pid == os.getpid():
        return False
    try:
        return (
            os.getsid(process.pid) == session
            and process.status() != psutil.STATUS_ZOMBIE
            and (marked is None or process.environ().get(SERVED_BY_VARIABLE) == marked)
        )
    except (psutil.Error, ProcessLookupError, PermissionError):
        return False


if __name__ == "__main__":
    sys.exit(guard(int(sys.argv[1]), sys.argv[2:]))

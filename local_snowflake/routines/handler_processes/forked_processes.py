"""Starts handlers as forks of a process that has imported what most of them need.

That process is started when the first routine in Python is called. Nobody's code runs in it, so
each handler begins as a process of its own does. A package that is installed or replaced meanwhile
is seen after `MAX_SECONDS` at the latest, when another process takes its place.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from local_snowflake.routines.handler_processes.process import (
    HandlerEndedError,
    HandlerProcess,
    Launcher,
    kill_with_parent,
)
from local_snowflake.routines.handler_side.channel import ID_BYTES, STATUS_BYTES

MAX_SECONDS = 300.0
"""For how long a fork server forks; its last handler may run for longer."""

_MODULE = "local_snowflake.routines.handler_side.fork_server"


def can_fork() -> bool:
    """Whether this system has what the fork server needs: Linux, since 5.3."""
    if sys.platform != "linux":
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


class ForkedProcess:
    """A process that a fork server has forked, with the interface of `subprocess.Popen`.

    Args:
        control: The socket on which the fork server sends its id, and its status when it ends.

    Raises:
        HandlerEndedError: The fork server has ended.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._status: int | None = None
        self._lock = threading.Lock()
        received = control.recv(ID_BYTES, socket.MSG_WAITALL)
        if len(received) < ID_BYTES:
            control.close()
            raise HandlerEndedError("The process that starts handlers has ended.")
        self.pid = int.from_bytes(received, "big")

    def poll(self) -> int | None:
        """Return its status once it has ended; the signal that killed it, if any, is negative."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Args:
            timeout: The maximum time in seconds.

        Raises:
            subprocess.TimeoutExpired: It still runs.
        """
        with self._lock:
            if self._status is None:
                self._status = self._receive_status(timeout)
            return self._status

    def _receive_status(self, timeout: float | None) -> int:
        self._control.settimeout(timeout)
        try:
            received = self._control.recv(STATUS_BYTES)
        except (TimeoutError, BlockingIOError):
            raise subprocess.TimeoutExpired(_MODULE, timeout or 0) from None
        except OSError:
            received = b""
        self._control.close()
        # A fork server that was killed takes its handlers with it, and reports nothing.
        return int.from_bytes(received, "big", signed=True) if received else -signal.SIGKILL


@dataclass(frozen=True)
class _Running:
    process: subprocess.Popen[bytes]
    requests: socket.socket
    python: str
    started: float

    def is_usable(self, python: str) -> bool:
        is_young = time.monotonic() - self.started < MAX_SECONDS
        return is_young and self.python == python and self.process.poll() is None

    def close(self) -> None:
        """Ask for no more handlers; the fork server ends after its last one."""
        self.requests.close()


class ForkServer:
    """Starts handlers as forks; starts the process that forks them when it is needed.

    Args:
        launcher: Starts that process.
        folder: Its working directory.
    """

    def __init__(self, launcher: Launcher, folder: Path) -> None:
        self._launcher = launcher
        self._folder = folder
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._retired: list[_Running] = []

    def start(
        self,
        python: str,
        environment: Mapping[str, str],
        folder: Path,
        packages: Collection[str] = (),
    ) -> HandlerProcess:
        """Start a handler.

        Args:
            python: The Python that runs it.
            environment: The environment variables of all handlers.
            folder: The handler's own folder.
            packages: The names of the packages that the handler declares.

        Raises:
            HandlerEndedError: The process that forks has ended meanwhile.
        """
        with self._lock:
            running = self._running
            if running is None or not running.is_usable(python):
                self._retire()
                running = self._running = self._launch(python, environment)
            with ExitStack() as child_ends:
                control, childs_control = socket.socketpair()
                child_ends.callback(childs_control.close)
                childs_stdin, stdin = os.pipe()
                stdout, childs_stdout = os.pipe()
                stderr, childs_stderr = os.pipe()
                streams = [childs_stdin, childs_stdout, childs_stderr]
                for descriptor in streams:
                    child_ends.callback(os.close, descriptor)
                with contextlib.suppress(OSError):  # it has ended: `ForkedProcess` says so
                    descriptors = [*streams, childs_control.fileno()]
                    request = json.dumps({"folder": str(folder), "packages": [*packages]})
                    socket.send_fds(running.requests, [request.encode()], descriptors)
        files = os.fdopen(stdin, "wb", 0), os.fdopen(stdout, "rb", 0), os.fdopen(stderr, "rb")
        try:
            process = ForkedProcess(control)
        except HandlerEndedError:
            for file in files:
                file.close()
            raise
        return HandlerProcess(process, *files)

    def close(self) -> None:
        """Start no more handlers."""
        with self._lock:
            self._retire()

    def _launch(self, python: str, environment: Mapping[str, str]) -> _Running:
        ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs:
            process = self._launcher.run(
                lambda: subprocess.Popen(
                    [*kill_with_parent(), python, "-m", _MODULE, str(theirs.fileno())],
                    cwd=self._folder,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            )
        return _Running(process, ours, python, time.monotonic())

    def _retire(self) -> None:
        if self._running is not None:
            self._running.close()
            self._retired.append(self._running)
            self._running = None
        # Else those that have ended would stay as zombies.
        self._retired = [each for each in self._retired if each.process.poll() is None]

"""A Python process that runs the code of a procedure or function, beside the server.

Messages go over its standard input and output: eight bytes of length, then the content. Its
arguments and its environment contain no secrets.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Protocol, TypeVar

_LENGTH_BYTES = 8
_MAX_LINES = 20
_LINE_BYTES = 8192
_POLL_SECONDS = 0.5
_T = TypeVar("_T")


class HandlerEndedError(Exception):
    """The process ended, was killed or did not start in time; the message has its output."""


class _TooLateError(Exception):
    pass


class RunningProcess(Protocol):
    """What a handler's process needs of `subprocess.Popen`."""

    pid: int

    def poll(self) -> int | None:
        """Return its status once it has ended; the signal that killed it, if any, is negative."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its status; `subprocess.TimeoutExpired` after that time."""
        ...


class HandlerProcess:
    """One process and its children; they end with `close`.

    Args:
        process: The process, which leads a process group.
        stdin: The end of its standard input that is written.
        stdout: The end of its standard output that is read.
        stderr: The end of its standard error that is read.
    """

    def __init__(
        self, process: RunningProcess, stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes]
    ) -> None:
        self._process = process
        self._stdin, self._stdout, self._stderr = stdin, stdout, stderr
        os.set_blocking(stdin.fileno(), False)
        self._printed: deque[str] = deque(maxlen=_MAX_LINES)
        self._reader = threading.Thread(target=self._read_printed, daemon=True)
        self._reader.start()

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def send(self, content: bytes | memoryview) -> None:
        """Send a message.

        Raises:
            HandlerEndedError: The process has ended.
        """
        self._write(len(content).to_bytes(_LENGTH_BYTES, "big"))
        self._write(content)

    def receive(self, seconds: float | None = None) -> bytearray:
        """Wait for a message.

        Args:
            seconds: The maximum time; None waits for as long as the process runs.

        Raises:
            HandlerEndedError: The process has ended or the time is up.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        try:
            length = int.from_bytes(self._read(_LENGTH_BYTES, deadline), "big")
            return self._read(length, deadline)
        except _TooLateError:
            self.kill()
            raise HandlerEndedError(f"It did not start within {seconds:g} seconds.") from None

    def kill(self) -> None:
        """Kill the process and its children at once; may be called from another thread."""
        with contextlib.suppress(ProcessLookupError):
            # Its group still exists if it has children.
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process and free its resources."""
        self.kill()
        self._process.wait()
        self._reader.join(timeout=1)
        self._stdin.close()
        self._stdout.close()

    def _write(self, content: bytes | memoryview) -> None:
        left = memoryview(content)
        try:
            while left:
                descriptor = self._when_ready(self._stdin, select.POLLOUT)
                left = left[os.write(descriptor, left) :]
        except (OSError, ValueError) as error:
            raise self._ended() from error

    def _read(self, size: int, deadline: float | None) -> bytearray:
        content = bytearray(size)
        missing = memoryview(content)
        try:
            while missing:
                descriptor = self._when_ready(self._stdout, select.POLLIN, deadline)
                count = os.readv(descriptor, [missing])
                if count == 0:
                    raise self._ended()
                missing = missing[count:]
        except (OSError, ValueError) as error:
            raise self._ended() from error
        return content

    def _when_ready(self, pipe: IO[bytes], event: int, deadline: float | None = None) -> int:
        """Wait until a pipe can be read or written, and return its descriptor.

        The children of a process that has ended may keep its pipes open.
        """
        descriptor = pipe.fileno()
        poll = select.poll()
        poll.register(descriptor, event)
        while True:
            was_alive = self.is_alive
            if poll.poll(_POLL_SECONDS * 1000):
                return descriptor
            if not was_alive:
                raise self._ended()
            if deadline is not None and time.monotonic() > deadline:
                raise _TooLateError

    def _ended(self) -> HandlerEndedError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        self._reader.join(timeout=1)
        status = self._process.poll()
        how = f"Its process ended (status {status})."
        if status is not None and status < 0:
            how = f"Its process ended (signal {-status})."
        if status == -signal.SIGKILL:
            how = (
                f"Its process was killed (signal {-status}): the system does that when memory "
                "runs out."
            )
        printed = "\n".join(self._printed)
        return HandlerEndedError(f"{how}\n{printed}".strip())

    def _read_printed(self) -> None:
        # Closed here, and not by `close`, which would wait for this thread: a process that has left
        # the group may keep the other end open for any time.
        with contextlib.suppress(OSError, ValueError), self._stderr as pipe:
            while line := pipe.readline(_LINE_BYTES):
                self._printed.append(line.decode(errors="replace").rstrip("\n"))


class Launcher:
    """Starts processes that the kernel kills when this one ends.

    The kernel does so when the thread ends that has started them: so one thread that stays starts
    all.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="launcher")

    def run(self, start: Callable[[], _T]) -> _T:
        """Return what a function returns that starts a process."""
        return self._thread.submit(start).result()

    def close(self) -> None:
        """Start no more processes."""
        self._thread.shutdown()


def start_handler_process(
    command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> HandlerProcess:
    """Start a program as a handler's process.

    Args:
        command: The program and its arguments.
        environment: Its environment variables.
        folder: Its working directory.
    """
    process = subprocess.Popen(
        [*kill_with_parent(), *command],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    return HandlerProcess(
        process, _pipe(process.stdin), _pipe(process.stdout), _pipe(process.stderr)
    )


def kill_with_parent() -> list[str]:
    """Return a command that makes the kernel kill a program when this process ends or is killed.

    Linux only: elsewhere a handler ends when its standard input is closed.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:  # never: all three are pipes
        raise ValueError
    return pipe

"""Runs a tool's program, yields its output line by line, and leaves no process behind."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from factories.core.warehouse.watchdog import WarehouseLostError

STOP_SECONDS = 10


@dataclass(frozen=True)
class RawLine:
    """A line of a program's output, without its end, and when it came, in monotonic seconds."""

    text: str
    at: float


class Program:
    """One process and its children; they end with the block that holds it.

    Example:
        >>> with Program(["echo", "hello"], {}) as program:
        ...     [line.text for line in program.lines()]
        ['hello']
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str | None],
        *,
        folder: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        """Start the process.

        Args:
            command: The program and its arguments.
            environment: Changes to this process's environment; None removes a variable.
            folder: Its working folder.
            stop_signal: What it is asked to stop with.
        """
        self._stop_signal = stop_signal
        self._process = subprocess.Popen(
            [*end_with_parent(), *command],
            cwd=folder,
            env=environment_with(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What a tool does to end well would wait for the warehouse.
        self._stop(at_once=isinstance(error, WarehouseLostError))
        if self._process.stdout:
            self._process.stdout.close()

    def lines(self) -> Iterator[RawLine]:
        """Yield each line of the output, standard error's too.

        A thread reads them, so that a consumer who takes its time does not change the times.
        """
        arrived: queue.SimpleQueue[RawLine | None] = queue.SimpleQueue()

        def read() -> None:
            for line in self._process.stdout or ():
                arrived.put(RawLine(line.rstrip("\n"), time.monotonic()))
            arrived.put(None)

        threading.Thread(target=read, daemon=True).start()
        while (line := arrived.get()) is not None:
            yield line

    def wait(self) -> int:
        """Wait for the end and return the exit status."""
        return self._process.wait()

    def _stop(self, *, at_once: bool) -> None:
        """End the process and its children; one that does not stop is killed."""
        signals = [(self._stop_signal, STOP_SECONDS), (signal.SIGKILL, None)]
        for sign, patience in signals[1:] if at_once else signals:
            if self._process.poll() is not None:
                return
            try:
                os.killpg(self._process.pid, sign)
                self._process.wait(patience)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue


def environment_with(changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return this process's environment with changes; None removes a variable."""
    changed = {**os.environ, **changes}
    return {name: value for name, value in changed.items() if value is not None}


def describe_end(program: str, status: int) -> str:
    """Return how a program has ended: by a signal, whose number its status has with a minus."""
    if status >= 0:
        return f"{program} ended with status {status}"
    known = {*signal.Signals}
    name = signal.Signals(-status).name if -status in known else f"signal {-status}"
    return f"{program} was ended by {name}"


def end_with_parent() -> list[str]:
    """Return a command prefix that ends the program when this process dies, even when it is killed.

    Otherwise the program of a killed step goes on writing, beside the run that replaces it. Linux
    only: elsewhere the program ends when it next writes to the closed pipe.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []

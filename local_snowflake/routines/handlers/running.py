"""The processes that run a procedure's code for one session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local_snowflake.routines.handlers.process import HandlerProcess


@dataclass
class Running:
    """A handler's process at work.

    Attributes:
        process: The process.
        is_cancelled: Whether the session was told to stop meanwhile.
    """

    process: HandlerProcess
    is_cancelled: bool = False


class RunningHandlers:
    """The calls that a session is in: the outermost procedure first, what it has called after."""

    def __init__(self) -> None:
        self._running: list[Running] = []
        self._is_stopped = False

    def __len__(self) -> int:
        return len(self._running)

    @contextmanager
    def at_work(self, process: HandlerProcess) -> Iterator[Running]:
        """Have a process end when the session's statement is stopped."""
        running = Running(process)
        self._running.append(running)
        if self._is_stopped:  # before there was a process to kill
            self.stop()
        try:
            yield running
        finally:
            self._running.remove(running)

    def begin(self) -> None:
        """A statement begins: what stopped the one before is over, unless a procedure sends it."""
        if not self._running:
            self._is_stopped = False

    def stop(self, beyond: int = 0) -> None:
        """Kill the processes, whatever they do; may be called from another thread.

        Args:
            beyond: How many of the outermost go on.
        """
        if not beyond:
            self._is_stopped = True
        for running in self._running[beyond:]:
            running.is_cancelled = True
            running.process.kill()

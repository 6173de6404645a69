"""The processes that run procedures for one session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local_snowflake.routines.handler_processes.process import HandlerProcess


@dataclass
class Running:
    """A handler's process that runs a procedure.

    Attributes:
        process: The process.
        is_cancelled: Whether the session's statement was stopped meanwhile.
    """

    process: HandlerProcess
    is_cancelled: bool = False


class RunningHandlers:
    """The procedures that a session has called: the outermost first, then those that it calls."""

    def __init__(self) -> None:
        self._running: list[Running] = []
        self._is_stopped = False

    def __len__(self) -> int:
        return len(self._running)

    @contextmanager
    def track(self, process: HandlerProcess) -> Iterator[Running]:
        """Kill a process if the session's statement is stopped before the block ends."""
        running = Running(process)
        self._running.append(running)
        if self._is_stopped:  # before there was a process to kill
            self.stop()
        try:
            yield running
        finally:
            self._running.remove(running)

    def begin(self) -> None:
        """Forget an earlier `stop`: a statement begins that no running procedure has sent."""
        if not self._running:
            self._is_stopped = False

    def stop(self, beyond: int = 0) -> None:
        """Kill the processes at once; may be called from another thread.

        Args:
            beyond: How many of the outermost go on.
        """
        if not beyond:
            self._is_stopped = True
        for running in self._running[beyond:]:
            running.is_cancelled = True
            running.process.kill()

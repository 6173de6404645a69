"""A process that is started before the next procedure needs it.

Importing Snowpark takes most of a procedure call's time. So while one procedure runs, a spare
process imports it for the next call. There is one at most, it is started only when a procedure is
called, and it ends by itself when it is not needed for some time, so that it does not occupy memory
for good. Like all processes of handlers it ends with the server.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local_snowflake.routines.handlers.process import HandlerProcess

SPARE_SECONDS = 300.0
"""For how long a spare process is used; it ends by itself a little later."""


@dataclass(frozen=True)
class SpareProcess:
    """A process that waits for its first message.

    Attributes:
        process: The process.
        folder: Its own folder.
        python: The Python that it runs.
        started: When it was started, on the monotonic clock.
    """

    process: HandlerProcess
    folder: Path
    python: str
    started: float

    def is_usable(self, python: str) -> bool:
        """Whether it runs that Python and will not end by itself soon."""
        is_young = time.monotonic() - self.started < SPARE_SECONDS
        return is_young and self.python == python and self.process.is_alive


class SpareHandler:
    """Holds the spare process, if there is one.

    Args:
        start: Starts a process.
        discard: Ends a process that is not needed.
    """

    def __init__(
        self, start: Callable[[], SpareProcess], discard: Callable[[SpareProcess], None]
    ) -> None:
        self._start = start
        self._discard = discard
        self._lock = threading.Lock()
        self._spare: SpareProcess | None = None
        self._is_closed = False

    def take(self, python: str) -> SpareProcess | None:
        """Return the spare process, which then belongs to the caller; None if there is none."""
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is None or spare.is_usable(python):
            return spare
        self._discard(spare)
        return None

    def prepare(self, python: str) -> None:
        """Start a spare process, unless there is a usable one."""
        with self._lock:
            old = self._spare
            if self._is_closed or (old is not None and old.is_usable(python)):
                return
            self._spare = self._start()
        if old is not None:
            self._discard(old)

    def close(self) -> None:
        """End the spare process and start no other."""
        with self._lock:
            self._is_closed = True
            spare, self._spare = self._spare, None
        if spare is not None:
            self._discard(spare)

"""A story: what happens, and what must come of it, with the time since its beginning."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

LOOK_SECONDS = 0.5
LOOK_SELDOM_SECONDS = 5.0


class Story:
    """Tells what happens; what does not come true ends the story with status 1."""

    def __init__(self, wait_seconds: float) -> None:
        """Begin.

        Args:
            wait_seconds: How long what is expected may take to come true.
        """
        self._wait_seconds = wait_seconds
        self._started = time.monotonic()

    @property
    def minutes(self) -> float:
        """How long it has gone on."""
        return (time.monotonic() - self._started) / 60

    def tell(self, text: str) -> None:
        """Print a line, with the time since the beginning."""
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        print(f"{minutes:02}:{seconds:02}  {text}", flush=True)

    def require(self, problem: str) -> None:
        """End the story when there is a problem.

        Raises:
            SystemExit: With what is not so.
        """
        if problem:
            self.tell(f"NOT SO: {problem}")
            raise SystemExit(1)

    def wait_for(
        self, what: Callable[[], bool], expected: str, lacks: Callable[[], str] = lambda: ""
    ) -> None:
        """Wait until something has come true, and tell it.

        Args:
            what: Whether it has.
            expected: What is told then.
            lacks: Says what is still missing.

        Raises:
            SystemExit: When it does not come true in time.
        """
        deadline = time.monotonic() + self._wait_seconds
        while not what():
            if time.monotonic() > deadline:
                self.require(f"{expected}; {lacks()}".rstrip("; "))
            time.sleep(LOOK_SECONDS)
        self.tell(expected)

    def wait_until_nothing_lacks(self, lacks: Callable[[], Sequence[str]], expected: str) -> None:
        """Wait until nothing is missing any longer, which takes a while to find out, and tell it.

        Args:
            lacks: Says what is still missing.
            expected: What is told when nothing is.

        Raises:
            SystemExit: When something still is after the time that it may take.
        """
        deadline = time.monotonic() + self._wait_seconds
        while missing := lacks():
            if time.monotonic() > deadline:
                self.require(f"{expected}; {'; '.join(missing)}")
            time.sleep(LOOK_SELDOM_SECONDS)
        self.tell(expected)

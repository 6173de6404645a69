"""Which process something was done by, so that a later one can tell whether it is still alive."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import psutil

LAUNCHED_BY = "dp/launched_by"  # a run's tag: the `dp run` that wanted it
SERVED_BY = "dp/served_by"  # a run's tag: the `dp` whose Dagster runs it
SERVED_BY_VARIABLE = "DP_SERVED_BY"
CLOCK_SECONDS = 2.0  # a process's start is told by a clock that may have been set meanwhile


@dataclass(frozen=True)
class ProcessIdentity:
    """A process, told from all others: a number alone is given again.

    Attributes:
        host: Its machine.
        pid: Its number there.
        created: When it began, in seconds since 1970.
    """

    host: str
    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> Self:
        """Return the identity of a process of this machine that runs.

        Raises:
            psutil.Error: When there is no such process.
        """
        return cls(socket.gethostname(), pid, psutil.Process(pid).create_time())

    @classmethod
    def of_this(cls) -> Self:
        """Return this process's own identity."""
        return cls.of(os.getpid())

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the identity that a text stands for; None when it stands for none."""
        host, _, rest = text.rpartition("/")
        pid, _, created = rest.partition("@")
        try:
            return cls(host, int(pid), float(created)) if host else None
        except ValueError:
            return None

    @classmethod
    def of_run(cls, tags: Mapping[str, str]) -> Self | None:
        """Return the process without which a run cannot go on; None when its tags name none."""
        return cls.parse(tags.get(SERVED_BY) or tags.get(LAUNCHED_BY) or "")

    def __str__(self) -> str:
        return f"{self.host}/{self.pid}@{self.created:.2f}"

    @property
    def is_of_this_machine(self) -> bool:
        """Whether it ran here; of a process elsewhere nothing is known."""
        return self.host == socket.gethostname()

    @property
    def is_dead(self) -> bool:
        """Whether it ran on this machine, and does no longer."""
        if not self.is_of_this_machine:
            return False
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < CLOCK_SECONDS
            return not same or process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True


def has_ended(pid: int, moment: float) -> bool:
    """Tell whether a process of this machine that lived at a moment has ended since."""
    try:
        process = psutil.Process(pid)
        began_later = process.create_time() > moment + CLOCK_SECONDS
        return began_later or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True

"""Who serves a Dagster instance: one `dp` at a time, which notes where and for what."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from factories.cli.serving.dead_runs import end_dead_runs
from factories.cli.serving.fingerprint import Fingerprint
from factories.cli.serving.guardian import end_session
from factories.core.process_identity import ProcessIdentity

STATE_FILE = "webserver.json"
LOCK_FILE = "dp.lock"


@dataclass(frozen=True)
class Served:
    """A Dagster that a `dp` has started.

    Attributes:
        url: Its webserver's address.
        command: `dp dev` or `dp run`.
        by: The process of that command.
        session: The session of Dagster's processes.
        made_for: What it works on.
    """

    url: str
    command: str
    by: ProcessIdentity
    session: int
    made_for: Fingerprint

    def __str__(self) -> str:
        return f"the Dagster at {self.url}, which `{self.command}` (process {self.by.pid}) started,"


def read_served(home: Path) -> Served | None:
    """Return what is noted in an instance's folder; None when nothing readable is."""
    try:
        found = json.loads((home / STATE_FILE).read_text())
        by = ProcessIdentity.parse(found["by"])
        made_for = Fingerprint(**found["made_for"])
        return (
            Served(found["url"], found["command"], by, found["session"], made_for) if by else None
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None


def note_served(home: Path, served: Served) -> None:
    """Note a Dagster that was started; the note stays until nothing of it is left."""
    path = home / STATE_FILE
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({**asdict(served), "by": str(served.by)}, file)
    new.replace(path)


def forget_served(home: Path) -> None:
    """Take the note away: the Dagster has ended, and its runs have."""
    (home / STATE_FILE).unlink(missing_ok=True)


@contextmanager
def held_instance(home: Path) -> Iterator[IO[str] | None]:
    """Take an instance for this process and those that inherit the file; None if another has it."""
    with (home / LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield lock


def clear_left_over(home: Path) -> list[str]:
    """End what a `dp` has left that was killed: processes and runs; the instance is held.

    Returns:
        A sentence for each run that was ended.
    """
    if not (home / STATE_FILE).exists():
        return []
    served = read_served(home)
    if served and served.by.is_dead:
        end_session(served.session, marked=str(served.by))
    said = end_dead_runs(home)
    forget_served(home)
    return said

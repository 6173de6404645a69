from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from sample_sources.errors import SampleError

_SECONDS = 120


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    """Hold a lock file, whose folder is made if missing; other processes wait for it.

    Raises:
        SampleError: Another process held it for two minutes.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    waiting = FileLock(lock, timeout=_SECONDS)
    try:
        waiting.acquire()
    except Timeout as error:
        raise SampleError(
            f"Another process has held {lock} for {_SECONDS} seconds: "
            "wait for it, or end it, and try again."
        ) from error
    try:
        yield
    finally:
        waiting.release()

"""Has a code location loaded again whose code server has died.

`dagster dev` starts two processes for a code location: one that the webserver and the daemon speak
to, and behind it the code server, which has imported the code. It starts the first one again when
that has died. Of the second one it only says that it cannot be reached, until somebody reloads the
location in the UI; nothing of the location runs meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from factories.cli.serving.api import ApiError, DagsterApi

LOOK_SECONDS = 5.0


@contextmanager
def reloaded_when_unreachable(api: DagsterApi, log: IO[str]) -> Iterator[None]:
    """Reload, while the block runs, the code locations that cannot be reached any longer.

    Args:
        api: The webserver.
        log: Told which ones.
    """
    stop = threading.Event()

    def look() -> None:
        before: set[str] = set()
        while not stop.wait(LOOK_SECONDS):
            with suppress(ApiError):  # the webserver is about to start, or to end
                found = set(api.unreachable_locations())
                for name in sorted(found & before):  # one that is only slow is back by then
                    log.write(f"the code server of {name} does not answer: loading it again\n")
                    log.flush()
                    api.reload_location(name)
                before = found

    watcher = threading.Thread(target=look, name="reloads code locations", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()

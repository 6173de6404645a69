"""Handlers as tests make them, and their processes as tests see them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import psutil
from snowflake.connector.cursor import SnowflakeCursor

from local_snowflake.process import control

FORK_SERVER = "local_snowflake.routines.handler_side.fork_server"


def handlers_of() -> list[psutil.Process]:
    """The processes of handlers that the running server has."""
    return [child for parent in fork_servers(_server()) for child in children(parent)]


def fork_servers(parent: int | None = None) -> list[psutil.Process]:
    """The processes below the running server, or another process, that fork handlers."""
    found = []
    for child in children(psutil.Process(parent or _server())):
        # It may have ended meanwhile.
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if FORK_SERVER in child.cmdline():
                found.append(child)
    return found


def children(parent: psutil.Process) -> list[psutil.Process]:
    """The processes that a process has started, if it still runs."""
    try:
        return parent.children()
    except psutil.NoSuchProcess:
        return []


def _server() -> int:
    return control.status().pid or 0


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until something holds, for half a minute at most."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def define(
    cursor: SnowflakeCursor,
    signature: str,
    returns: str,
    body: str,
    *,
    kind: str = "temporary function",
    more: str = "",
) -> None:
    """Create a function by hand; its handler is `main`."""
    cursor.execute(
        f"create or replace {kind} {signature} returns {returns} language python {more} "
        f"runtime_version = '3.11' handler = 'main' as $$\n{body}\n$$"
    )

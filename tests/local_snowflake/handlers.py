"""Handlers as tests make them, and their processes as tests see them."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil
from snowflake.connector.cursor import SnowflakeCursor

from local_snowflake.process import lifecycle


def handlers_of() -> list[psutil.Process]:
    """The processes of handlers that the running server has."""
    children = psutil.Process(lifecycle.status().pid).children(recursive=True)
    return [child for child in children if _is_handler(child)]


def _is_handler(process: psutil.Process) -> bool:
    try:
        return "local_snowflake.routines.handler_side" in process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):  # it has ended meanwhile
        return False


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

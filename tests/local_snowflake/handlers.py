"""Handlers as tests make them, and their processes as tests see them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from snowflake.connector.cursor import SnowflakeCursor

from local_snowflake.process import lifecycle

MODULE = "local_snowflake.routines.handler_side"


def handlers_of() -> list[psutil.Process]:
    """The processes of handlers that the running server has, without the spare one."""
    return [
        child for child, folder in handler_processes(_server()) if (folder / "imports").exists()
    ]


def spares_of() -> list[psutil.Process]:
    """The process that the running server has started for the next procedure."""
    return [
        child for child, folder in handler_processes(_server()) if not (folder / "imports").exists()
    ]


def handler_processes(parent: int, *, recursive: bool = True) -> list[tuple[psutil.Process, Path]]:
    """The processes of handlers below a process, and the folder of each."""
    found = []
    for child in psutil.Process(parent).children(recursive=recursive):
        # It may have ended meanwhile.
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            command = child.cmdline()
            if MODULE in command:
                found.append((child, Path(command[command.index(MODULE) + 1])))
    return found


def _server() -> int:
    return lifecycle.status().pid or 0


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

"""Finds what to kill, and what was left running, by command lines and environments."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil

from kill_matrix import cases

FORK_SERVER = "multiprocessing.forkserver"
HANDLERS = "local_snowflake.routines.handler_side.fork_server"
WAREHOUSE = "local_snowflake.process.server"
API = "sample_sources.weather_api.server"
DAEMON = "dagster._daemon"
DBT = "factories.dbt.program"
SLING = "/sling-"
# What goes on when `dp run` has ended.
SERVICES = (WAREHOUSE, HANDLERS, API)
POSTGRES = "postgres"


def command_line(process: psutil.Process) -> str:
    """Return a process's command line; nothing when it has ended."""
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return ""
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def find_victims(victim: str, folder: Path, dp: int) -> list[psutil.Process]:
    """Return the processes of a kind that work for a local folder.

    Args:
        victim: As the cases name it.
        folder: The local folder.
        dp: The process of `dp run`.
    """
    if victim == cases.DP:
        return [psutil.Process(dp)]
    if victim == cases.SOURCE:
        return [each for each in psutil.process_iter() if _serves(each, folder)]
    if victim == cases.HANDLER:
        return _handlers(find_victims(cases.WAREHOUSE, folder, dp))
    finders: dict[str, Callable[[psutil.Process], bool]] = {
        cases.STEP: _is_step,
        cases.WORKER: _is_worker,
        cases.DAEMON: lambda each: DAEMON in command_line(each),
        cases.WAREHOUSE: lambda each: WAREHOUSE in command_line(each),
        cases.API: lambda each: API in command_line(each),
        cases.SLING: lambda each: SLING in command_line(each) and " run " in command_line(each),
        cases.DBT: lambda each: DBT in command_line(each),
    }
    return [each for each in processes_of(folder) if finders[victim](each)]


def processes_of(folder: Path) -> Iterator[psutil.Process]:
    """Yield the living processes whose environment names a local folder."""
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            lives = process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            continue
        if lives and environment.get("DP_LOCAL_DIR") == str(folder):
            yield process


def wait_for_the_end(folder: Path, seconds: float) -> list[str]:
    """Wait until nothing of `dp run` is left; return the command lines of what still is."""
    deadline = time.monotonic() + seconds
    while True:
        left = [line for each in processes_of(folder) if (line := _left(each))]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.2)


def _left(process: psutil.Process) -> str:
    line = command_line(process)
    is_service = POSTGRES in line or any(service in line for service in SERVICES)
    return "" if is_service else line


def _is_step(process: psutil.Process) -> bool:
    """Tell whether it was forked from the server of step processes."""
    return FORK_SERVER in command_line(process) and FORK_SERVER in _parent(process)


def _is_worker(process: psutil.Process) -> bool:
    """Tell whether it has started the server of step processes."""
    if FORK_SERVER in command_line(process):
        return False
    try:
        return any(FORK_SERVER in command_line(child) for child in process.children())
    except psutil.Error:
        return False


def _handlers(servers: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Return the processes that run a handler of a warehouse: forked from the one that forks."""
    found = [child for server in servers for child in server.children(recursive=True)]
    return [each for each in found if HANDLERS in command_line(each) and HANDLERS in _parent(each)]


def _parent(process: psutil.Process) -> str:
    try:
        parent = process.parent()
    except psutil.Error:
        return ""
    return command_line(parent) if parent else ""


def _serves(process: psutil.Process, folder: Path) -> bool:
    """Tell whether it is a process of the PostgreSQL in a local folder."""
    try:
        return process.name() == POSTGRES and str(folder) in process.cwd()
    except psutil.Error:
        return False

"""Running the Sling binary: one process, its log as it comes, nothing left behind."""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BINARY_PACKAGES = (
    "sling_linux_amd64",
    "sling_linux_arm64",
    "sling_mac_amd64",
    "sling_mac_arm64",
)
STOP_SECONDS = 10
FOLDER_PREFIX = "dp-sling-"


class SlingNotFoundError(Exception):
    """There is no Sling binary in this environment."""


@dataclass(frozen=True)
class RawLine:
    """A line of Sling's output, without its end, and when it came, in monotonic seconds."""

    text: str
    at: float


def find_binary(environ: Mapping[str, str] = os.environ) -> str:
    """Return the path of the Sling binary.

    `SLING_BINARY` when it is set, else the binary that the installed package carries. The Python
    package `sling` is never imported for it: without its binary it downloads one, or calls itself
    through PATH for ever.

    Raises:
        SlingNotFoundError: When there is none.
    """
    if chosen := environ.get("SLING_BINARY"):
        if shutil.which(chosen):
            return chosen
        raise SlingNotFoundError(f"SLING_BINARY names {chosen}, which is no program")
    for package in BINARY_PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in spec.submodule_search_locations or () if spec else ():
            if path := next(Path(folder, "bin").glob("sling-*"), None):
                return str(path)
    raise SlingNotFoundError(
        "this environment has no Sling binary: install the one for your system and name it in"
        " SLING_BINARY"
    )


def run_sling(
    binary: str, replication: Mapping[str, Any], connections: Mapping[str, str]
) -> Generator[RawLine]:
    """Run one replication and yield the lines of its log.

    Connections reach Sling through the process's own environment, never through a file or this
    process's `os.environ`. Sling's home, its staged files and the replication lie in a temporary
    folder that is gone when the process is.

    Args:
        binary: The Sling program.
        replication: A replication in Sling's format.
        connections: Each connection's URL or JSON by name.

    Yields:
        Each line with the time of its arrival: the log is JSON lines, a stream's error plain text.
        A thread reads them, so that a consumer who takes its time does not change the times.
    """
    sweep_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-"))
    try:
        path = folder / "replication.json"
        path.write_text(json.dumps(replication), encoding="utf-8")
        with subprocess.Popen(
            [binary, "run", "-r", str(path)],
            env={**os.environ, **_settings(folder), **connections},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                yield from _lines(process)
            finally:
                _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lines(process: subprocess.Popen[str]) -> Iterator[RawLine]:
    arrived: queue.SimpleQueue[RawLine | None] = queue.SimpleQueue()

    def read() -> None:
        for line in process.stdout or ():
            arrived.put(RawLine(line.rstrip("\n"), time.monotonic()))
        arrived.put(None)

    threading.Thread(target=read, daemon=True).start()
    while (line := arrived.get()) is not None:
        yield line


def _settings(folder: Path) -> dict[str, str]:
    return {
        "SLING_HOME_DIR": str(folder),
        "SLING_TEMP_DIR": str(folder),
        "SLING_LOGGING": "JSON",
        "SLING_DISABLE_TELEMETRY": "TRUE",
        "SLING_ALLOW_EMPTY": "TRUE",  # a source without rows makes a table without rows
    }


def _stop(process: subprocess.Popen[str]) -> None:
    """End the process and its children; one that does not stop is killed."""
    for sign, patience in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        try:
            os.killpg(process.pid, sign)
            process.wait(patience)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def sweep_abandoned() -> None:
    """Remove the folders of step processes that were killed before they could do it."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*-*"):
        pid = folder.name.removeprefix(FOLDER_PREFIX).split("-")[0]
        if pid.isdigit() and not _is_running(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

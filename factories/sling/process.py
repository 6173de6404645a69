"""Running the Sling binary: one process, its log as it comes, nothing left behind."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from factories.core.errors import StepStartError
from factories.core.execution.subprocesses import Program, RawLine
from factories.core.execution.temp_folders import temporary_step_folder

BINARY_PACKAGES = (
    "sling_linux_amd64",
    "sling_linux_arm64",
    "sling_mac_amd64",
    "sling_mac_arm64",
)


class SlingNotFoundError(StepStartError):
    """There is no Sling binary in this environment."""


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
    """
    with temporary_step_folder("sling") as folder:
        path = folder / "replication.json"
        path.write_text(json.dumps(replication), encoding="utf-8")
        command = [binary, "run", "-r", str(path)]
        with Program(command, {**_settings(folder), **connections}) as program:
            yield from program.lines()


def _settings(folder: Path) -> dict[str, str]:
    return {
        "SLING_HOME_DIR": str(folder),
        "SLING_TEMP_DIR": str(folder),
        "SLING_LOGGING": "JSON",
        "SLING_DISABLE_TELEMETRY": "TRUE",
        "SLING_ALLOW_EMPTY": "TRUE",  # a source without rows makes a table without rows
    }

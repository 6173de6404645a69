"""Starts Sling's program: a replication, or a short command."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from factories.core.errors import StepStartError
from factories.core.execution.subprocesses import Program, RawLine, describe_end, environment_with
from factories.core.execution.temp_folders import temporary_step_folder

BINARY_PACKAGES = (
    "sling_linux_amd64",
    "sling_linux_arm64",
    "sling_mac_amd64",
    "sling_mac_arm64",
)

# Sling takes any other variable with a URL for a connection, and warns of one that it cannot parse.
OWN_URLS = re.compile(r"(SLING|AWS|GOOGLE|GCS|AZURE|SSL)_|.*_PROXY$", re.IGNORECASE)

KILLED = "Sling was ended by "  # and the signal's name: the last line of a killed process


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
        raise SlingNotFoundError(f"SLING_BINARY names {chosen}, which is not a program")
    for package in BINARY_PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in spec.submodule_search_locations or () if spec else ():
            if path := next(Path(folder, "bin").glob("sling-*"), None):
                return str(path)
    raise SlingNotFoundError(
        "this environment has no Sling binary: install the one for your system and name it in"
        " SLING_BINARY"
    )


def write_replication(replication: Mapping[str, Any]) -> str:
    """Return a replication as Sling reads it: YAML, which has no escapes for halves of an emoji."""
    return json.dumps(replication, default=_convert_to_plain_value, ensure_ascii=False)


def _convert_to_plain_value(value: object) -> object:
    """Return what JSON can hold of a value of Python, such as Sling's own classes of options."""
    to_dict = getattr(value, "to_dict", None)
    if callable(to_dict):
        return to_dict()
    return value.value if isinstance(value, Enum) else str(value)


def run_sling(
    binary: str,
    replication: str,
    connections: Mapping[str, str],
    folder: Path,
    *,
    debug: bool = False,
    trace: bool = False,
) -> Generator[RawLine]:
    """Run one replication and yield the lines of its log.

    Connections reach Sling through the process's own environment, never through a file or this
    process's `os.environ`. Sling's home, its staged files and the replication lie in a folder of
    this process alone, which is gone when the process is.

    Args:
        binary: The Sling program.
        replication: A replication in Sling's format, as JSON.
        connections: Each connection's URL or JSON by name.
        folder: Where the process's own folder is made.
        debug: Whether Sling logs more.
        trace: Whether it logs all that it does: this may hold secrets, and is for no log of ours.

    Yields:
        Each line with the time of its arrival: the log is JSON lines, a stream's error plain text.
        After a signal that ended Sling, a line that says so.
    """
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as name:
        own_folder = Path(name)
        path = own_folder / "replication.json"
        path.write_text(replication, encoding="utf-8")
        details = ["--trace"] if trace else ["-d"] if debug else []
        command = [binary, "run", *details, "-r", str(path)]
        with Program(command, {**_environment(own_folder), **connections}) as program:
            yield from program.lines()
            if (status := program.wait()) < 0:
                yield RawLine(describe_end("Sling", status), time.monotonic())


def call_sling(
    binary: str,
    arguments: Sequence[str],
    connections: Mapping[str, str],
    *,
    as_json: bool,
    seconds: float | None = None,
) -> str:
    """Run a short command of Sling's and return what it writes to standard output.

    Args:
        binary: The Sling program.
        arguments: Such as `["conns", "test", "SHOP"]`.
        connections: Each connection's URL or JSON by name.
        as_json: Whether Sling answers in JSON.
        seconds: How long it may take; as long as it likes, by default.

    Raises:
        subprocess.CalledProcessError: When Sling ends with an error; holds what it wrote.
        subprocess.TimeoutExpired: When it takes longer.
    """
    with temporary_step_folder("sling") as folder:
        environment = _environment(folder) | ({"SLING_OUTPUT": "json"} if as_json else {})
        del environment["SLING_LOGGING"]
        return subprocess.run(
            [binary, *arguments],
            env=environment_with({**environment, **connections}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds,
        ).stdout


def _environment(folder: Path) -> dict[str, str | None]:
    return {
        **{
            name: None
            for name, value in os.environ.items()
            if "://" in value and not OWN_URLS.match(name)
        },
        "SLING_HOME_DIR": str(folder),
        "SLING_TEMP_DIR": str(folder),
        "SLING_LOGGING": "JSON",
        "SLING_DISABLE_TELEMETRY": "TRUE",
        "SLING_ALLOW_EMPTY": "TRUE",  # a source without rows makes a table without rows
    }

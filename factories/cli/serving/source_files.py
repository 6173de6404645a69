"""Whether a running Dagster has read the project's files as they are.

Each of its code locations takes seconds to read them again, in a new process.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import factories
from factories.cli.serving.api import DagsterApi
from factories.cli.workspace import read_workspace
from factories.core.process_identity import ProcessIdentity

LOADED_FILE = "loaded"
# What dbt writes while it parses and runs, and what Python does.
WRITTEN_MEANWHILE = frozenset({"target", "logs", "__pycache__"})


def note_loaded(root: Path, home: Path, by: ProcessIdentity) -> None:
    """Note which files a Dagster reads that is started, or that reloads, just after this."""
    (home / LOADED_FILE).write_text(_state(root, by))


def reload_if_changed(api: DagsterApi, root: Path, home: Path, by: ProcessIdentity) -> None:
    """Have a running Dagster read the project's files again when one of them has changed.

    Args:
        api: Its webserver.
        root: The project's folder.
        home: The instance's folder.
        by: The process that serves it.
    """
    with suppress(OSError):
        if (home / LOADED_FILE).read_text() == _state(root, by) and not api.load_errors():
            return
    note_loaded(root, home, by)
    api.reload()


def _state(root: Path, by: ProcessIdentity) -> str:
    digest = hashlib.sha256(str(by).encode())
    for folder in sorted({root, Path(factories.__file__).parent}):
        for entry in _files(folder):
            digest.update(entry.encode())
    for location in read_workspace(root, []):
        # An installation changes the folder of the packages.
        for packages in sorted(location.python.parent.parent.glob("lib/python*/site-packages")):
            digest.update(f"{packages} {packages.stat().st_mtime_ns}".encode())
    return digest.hexdigest()


def _files(folder: Path | str) -> Iterator[str]:
    """Yield the files below a folder, each with its size and time; hidden folders are left out."""
    with os.scandir(folder) as found:
        for entry in sorted(found, key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=True):
                if not entry.name.startswith(".") and entry.name not in WRITTEN_MEANWHILE:
                    yield from _files(entry.path)
            else:
                with suppress(FileNotFoundError):  # what somebody writes meanwhile, and takes away
                    status = entry.stat()
                    yield f"{entry.path} {status.st_mtime_ns} {status.st_size}"

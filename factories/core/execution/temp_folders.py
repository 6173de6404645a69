"""Temporary folders of steps, which are removed even if the step was killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def temporary_step_folder(tool: str) -> Iterator[Path]:
    """Make a folder that only this user can read, and remove it at the end.

    The folders of killed steps are removed first.
    """
    remove_abandoned_folders(tool)
    folder = Path(tempfile.mkdtemp(prefix=f"{folder_prefix(tool)}{os.getpid()}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def folder_prefix(tool: str) -> str:
    """Return the prefix of a tool's folder names; the process id follows it."""
    return f"dp-{tool}-"


def remove_abandoned_folders(tool: str) -> None:
    """Remove the folders of step processes that were killed before they could do it."""
    prefix = folder_prefix(tool)
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*-*"):
        pid = folder.name.removeprefix(prefix).split("-")[0]
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

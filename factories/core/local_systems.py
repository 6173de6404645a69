"""Calls to the local systems that entry points name, such as the embedded warehouse."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

from factories.core.errors import StepStartError


class LocalSystemError(StepStartError):
    """A local system is missing or could not be started; the text says which, and why."""


def load_entry_point(point: EntryPoint) -> Any:
    """Import what an entry point of a local system names.

    Raises:
        LocalSystemError: When its module, or one that it needs, is not installed: a wheel of this
            project names the local systems, and does not hold them.
    """
    try:
        return point.load()
    except ModuleNotFoundError as error:
        package = point.module.partition(".")[0]
        reason = f"this environment has no {error.name}"
        if error.name == package:
            reason = (
                f"{package} is not part of this installation: install the project from a checkout,"
                " or set DP_TARGET to another target"
            )
        raise LocalSystemError(f"{point.name}: {reason}") from error


def call_entry_point(point: EntryPoint, *, start: bool = True) -> Any:
    """Call the function that an entry point names, which may start a local system.

    Args:
        point: The entry point.
        start: Whether it may; without, what it returns is empty where the system does not run.

    Raises:
        LocalSystemError: When it fails, with any kind of error: the factories do not know the
            package behind the entry point.
    """
    function = load_entry_point(point)
    try:
        return function() if start else function(start=False)
    except Exception as error:
        raise LocalSystemError(f"{point.name}: {error}") from error

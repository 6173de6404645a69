"""Calls to the local systems that entry points name, such as the embedded warehouse."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

from factories.core.errors import StepStartError


class LocalSystemError(StepStartError):
    """A local system could not be started; the text is its own."""


def call_entry_point(point: EntryPoint) -> Any:
    """Call the function that an entry point names, which may start a local system.

    Raises:
        LocalSystemError: When it fails, with any kind of error: the factories do not know the
            package behind the entry point.
    """
    try:
        return point.load()()
    except Exception as error:
        raise LocalSystemError(f"{point.name}: {error}") from error

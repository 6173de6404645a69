"""What a user's function has raised, as the person who wrote it wants to read it."""

from __future__ import annotations

import traceback
from pathlib import Path

from factories.snowpark.config.entries import Entry


class FunctionFailedError(Exception):
    """The user's function raised something, or returned something else than it must."""


def function_failed(entry: Entry, error: BaseException) -> FunctionFailedError:
    """Return the error of an entry's function: the lines of the user's code that led to it."""
    return FunctionFailedError(f"{entry.function} failed:\n{traceback_of(error, entry.folder)}")


def is_from(folder: Path, error: BaseException) -> bool:
    """Tell whether an error was raised in, or by way of, a module of a folder."""
    return _first_of(folder, traceback.extract_tb(error.__traceback__)) is not None


def traceback_of(error: BaseException, folder: Path | None = None) -> str:
    """Return an error's traceback, from the first line in a module of the folder on, if any is."""
    told = traceback.TracebackException.from_exception(error)
    first = _first_of(folder, told.stack) if folder else None
    told.stack = traceback.StackSummary.from_list(told.stack[first or 0 :])
    return "".join(told.format()).rstrip()


def _first_of(folder: Path, frames: traceback.StackSummary) -> int | None:
    within = (Path(frame.filename).is_relative_to(folder) for frame in frames)
    return next((index for index, is_within in enumerate(within) if is_within), None)

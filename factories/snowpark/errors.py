"""How steps of Snowpark fail: what they explain, and what they show of the user's code."""

from __future__ import annotations

import traceback
from pathlib import Path

from factories.core.errors import StepStartError
from factories.core.execution.table_reader import QueryFailedError
from factories.core.python_refs.importer import FolderNameError
from factories.snowpark.config.entries import Entry
from factories.snowpark.in_snowflake.errors import ModelError


class SnowparkStepError(Exception):
    """Something that a person has to mend; the text says what, in a sentence."""


class FunctionFailedError(SnowparkStepError):
    """The user's function raised something, or returned something else than it must."""


# Shown as their text alone: a traceback through our own code would say less. Not tried again: the
# same would come of it.
EXPLAINED_ERRORS = (
    FolderNameError,
    ModelError,
    QueryFailedError,
    SnowparkStepError,
    StepStartError,
)


def build_function_error(entry: Entry, error: BaseException) -> FunctionFailedError:
    """Return the error of an entry's function: the lines of the user's code that led to it."""
    return FunctionFailedError(f"{entry.function} failed:\n{format_traceback(error, entry.folder)}")


def is_from(folder: Path, error: BaseException) -> bool:
    """Tell whether an error was raised in, or by way of, a module of a folder."""
    return _first_frame_in(folder, traceback.extract_tb(error.__traceback__)) is not None


def format_traceback(error: BaseException, folder: Path | None = None) -> str:
    """Return an error's traceback, from the first line in a module of the folder on, if any is."""
    formatted = traceback.TracebackException.from_exception(error)
    first = _first_frame_in(folder, formatted.stack) if folder else None
    formatted.stack = traceback.StackSummary.from_list(formatted.stack[first or 0 :])
    return "".join(formatted.format()).rstrip()


def _first_frame_in(folder: Path, frames: traceback.StackSummary) -> int | None:
    within = (Path(frame.filename).is_relative_to(folder) for frame in frames)
    return next((index for index, is_within in enumerate(within) if is_within), None)

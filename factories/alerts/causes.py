"""The user's own error below those that Dagster wraps it in, and what makes two errors the same."""

from __future__ import annotations

import re
from dataclasses import dataclass

import dagster as dg

from factories.core.dagster_internals import (
    RetryRequestedFromPolicy,
    SerializableErrorInfo,
)
from factories.core.meta.names import digest

MOST_LINES = 12
MOST_CHARACTERS = 900
# What differs each time of the same error: numbers, times, addresses and ids.
VARYING = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{7,}\b|\d+(?:[.:]\d+)*")
IDENTITY_CHARACTERS = 300
# `some.module.Class: text`, as Python formats an exception.
MODULE = re.compile(r"^(?:\w+\.)+(?=\w+(?::|\n|$))")
FAILURE = "dagster._core.definitions.events.Failure:"


@dataclass(frozen=True)
class Cause:
    """Why something failed.

    Attributes:
        exception: The class of the user's error; empty when there is none.
        text: Its last lines.
    """

    exception: str
    text: str

    @property
    def identity(self) -> str:
        """What two errors share that are the same: without numbers, times and ids."""
        plain = " ".join(VARYING.sub("#", self.text.lower()).split())
        return f"{self.exception}\n{plain[:IDENTITY_CHARACTERS]}"


def find_cause(error: SerializableErrorInfo | None, otherwise: str = "") -> Cause:
    """Return the user's own error.

    Args:
        error: As Dagster stores it, in `DagsterExecutionStepExecutionError` or the like.
        otherwise: What to say when there is no error.
    """
    if error is None:
        return Cause("", last_lines(otherwise))
    wrappers = _wrappers()
    while error.cause is not None and error.cls_name in wrappers:
        error = error.cause
    text = error.message.strip()
    text = text.removeprefix(FAILURE) if text.startswith(FAILURE) else MODULE.sub("", text)
    return Cause(error.cls_name or "", last_lines(text.strip() or otherwise))


def _wrappers() -> set[str]:
    """Return the names of Dagster's errors that only say where the user's own was raised."""
    found = {dg.DagsterUserCodeExecutionError.__name__}
    left = [dg.DagsterUserCodeExecutionError]
    while left:
        below = left.pop().__subclasses__()
        found |= {each.__name__ for each in below}
        left += below
    return found | {dg.RetryRequested.__name__, RetryRequestedFromPolicy.__name__}


def last_lines(text: str) -> str:
    """Return the end of a text, of a length that a message can hold."""
    lines = [line.rstrip() for line in text.strip().splitlines() if line.strip()]
    kept = "\n".join(lines[-MOST_LINES:])
    if len(kept) > MOST_CHARACTERS:
        kept = f"…{kept[-MOST_CHARACTERS:]}"
    elif len(lines) > MOST_LINES:
        kept = f"…\n{kept}"
    return kept


def incident_key(*parts: str) -> str:
    """Return the key of what belongs together: of one target, place and kind of error."""
    return f"{digest(chr(0).join(parts))}{digest(chr(0).join(reversed(parts)))}"

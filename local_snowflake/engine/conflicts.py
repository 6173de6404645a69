"""Repeating what meets a conflict with another session.

A DuckDB transaction fails when it meets a change that was committed after it began, where
Snowflake would wait, or see the change.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import duckdb

CONFLICT_SECONDS = 60.0
"""For how long a statement that meets conflicts is repeated."""

_T = TypeVar("_T")
_CONFLICTS = ("onflict", "Failed to commit", "has been altered", "has been dropped")


def repeat_after_conflicts(action: Callable[[], _T], may_repeat: Callable[[], bool]) -> _T:
    """Run an action, again after each conflict, with growing pauses.

    Args:
        action: What to run.
        may_repeat: Whether the action may run again, asked after a failure.
    """
    deadline = time.monotonic() + CONFLICT_SECONDS
    pause = 0.005
    while True:
        try:
            return action()
        except Exception as error:
            if not may_repeat() or not _is_conflict(error) or time.monotonic() > deadline:
                raise
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads the sessions
        pause = min(2 * pause, 0.5)


def _is_conflict(error: BaseException | None) -> bool:
    """Whether a statement failed because of what another session did at the same time."""
    while error is not None:
        if isinstance(error, duckdb.TransactionException):
            return any(words in str(error) for words in _CONFLICTS)
        error = error.__cause__ or error.__context__
    return False

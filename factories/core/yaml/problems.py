"""Problems in configuration: collected while files are read, and reported together."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

MAX_ALLOWED_SHOWN = 12


@dataclass(frozen=True)
class Problem:
    """One mistake, at one place of one file.

    Attributes:
        file: Path as the user knows it, relative to the project folder.
        line: 1-based; 0 when the problem concerns the whole file.
        column: 1-based; 0 when the problem concerns the whole file.
        message: What is wrong, as one sentence without a full stop.
        allowed: What would have been accepted.
        nearest: The allowed value that is most like what the user wrote.
        variable: The environment variable that is not set, where that is what is wrong.
    """

    file: str
    line: int
    column: int
    message: str
    allowed: tuple[str, ...] = field(default=())
    nearest: str | None = None
    variable: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        text = f"{place}: {self.message}{did_you_mean(self.nearest)}"
        if self.allowed:
            listed = ", ".join(self.allowed[:MAX_ALLOWED_SHOWN])
            more = len(self.allowed) - MAX_ALLOWED_SHOWN
            text += f" (allowed: {listed}{f' and {more} more' if more > 0 else ''})"
        return text


class ConfigError(Exception):
    """The configuration has problems; they are sorted by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted_problems(problems)
        Exception.__init__(self, format_problems(self.problems))


def sorted_problems(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems without duplicates, sorted by file, line and column."""
    return tuple(sorted(set(problems), key=lambda p: (p.file, p.line, p.column, p.message)))


def format_problems(problems: Sequence[Problem]) -> str:
    """Return the problems as text: a line with their number, then a line for each."""
    count = len(problems)
    head = f"{count} problem{'' if count == 1 else 's'} in the configuration:"
    return "\n".join([head, *(f"  {problem}" for problem in problems)])


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed word that is most like `word`, or None when none is similar.

    Example:
        >>> nearest("on_corn_no_deps", ["on_cron_no_deps", "manual_only"])
        'on_cron_no_deps'
    """
    by_lower = {candidate.lower(): candidate for candidate in allowed}
    matches = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[matches[0]] if matches else None


def did_you_mean(near: str | None) -> str:
    """Return the end of a sentence that asks whether this was meant; nothing for None.

    Example:
        >>> "there is no table 'ordres'" + did_you_mean("orders")
        "there is no table 'ordres'; did you mean 'orders'?"
    """
    return "" if near is None else f"; did you mean {near!r}?"

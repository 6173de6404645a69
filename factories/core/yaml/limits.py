"""Limits of a YAML file: what would hang a reader, or end it, is found before it is composed.

libyaml composes by recursion in C, which ends the interpreter at some ten thousand levels, and a
few aliases of aliases stand for billions of values. Its events come one by one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

MAX_BYTES = 5_000_000
MAX_DEPTH = 100
MAX_ALIASED = 250_000

ANCHOR = re.compile(r"&[\w-]")
ALIAS = re.compile(r"\*[\w-]")
# Where a block begins at the latest: each deeper one begins further to the right.
INDENT = re.compile(r"^[ \t?:-]+", re.MULTILINE)
# The depth to which composing is safe whatever the brackets stand for.
SAFE_DEPTH = 2_000


class LimitError(yaml.MarkedYAMLError):
    """A file is too large, is nested too deep, or its aliases stand for too much."""

    def __init__(self, problem: str, mark: Any = None) -> None:
        super().__init__(None, None, problem, mark)

    @property
    def place(self) -> tuple[int, int]:
        """The 1-based line and column; zeros where it concerns the whole file."""
        mark = self.problem_mark
        return (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)


def check_content(content: bytes) -> None:
    """Raise when a file of dbt exceeds a limit; whether it is YAML at all, dbt says.

    Raises:
        LimitError: When it does.
    """
    if len(content) > MAX_BYTES:
        raise LimitError(f"is too large: {len(content):,} bytes, at most {MAX_BYTES:,}")
    try:
        check_limits(content.decode("utf-8", errors="replace"), yaml.CSafeLoader)
    except LimitError:
        raise
    except yaml.YAMLError:
        return


def load_plain(content: bytes) -> Any:
    """Return the values of a file as dbt reads it, in YAML 1.1 and without positions.

    Raises:
        yaml.YAMLError: When it is not YAML, or exceeds a limit.
    """
    check_content(content)
    try:
        return yaml.load(content, yaml.CSafeLoader)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, ValueError) as error:
        raise yaml.YAMLError(str(error)) from None  # what PyYAML lets through: `2024-99-99`


@dataclass
class _Open:
    """A list or mapping whose end has not come yet.

    Attributes:
        anchor: Its name, if it has one.
        mark: Where it begins.
        nodes: How many values it holds so far, aliases followed, with itself.
        height: How many levels it holds so far, aliases followed, with itself.
    """

    anchor: str | None
    mark: Any
    nodes: int = 1
    height: int = 1


def check_limits(text: str, loader: type[Any]) -> None:
    """Raise when composing a text would not be safe; of most files, their characters show it.

    Args:
        text: The file.
        loader: A loader of libyaml.

    Raises:
        LimitError: When it is nested too deep, or its aliases stand for too much.
        yaml.YAMLError: When it is not YAML.
    """
    has_aliases = ALIAS.search(text) is not None and ANCHOR.search(text) is not None
    if has_aliases or _deepest(text) > SAFE_DEPTH:
        check_events(text, loader)


def _deepest(text: str) -> int:
    """Return how deep a text may be nested at most."""
    indent = max(map(len, INDENT.findall(text)), default=0)
    return text.count("[") + text.count("{") + 2 * (indent + 1)


def check_events(text: str, loader: type[Any]) -> None:
    """Raise when a text exceeds a limit, as `check_limits`, by what it holds."""
    parser = loader(text)
    try:
        _Count().read(parser)
    finally:
        parser.dispose()


class _Count:
    """Counts the levels of a document, and the values that its aliases stand for."""

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._anchored: dict[str, tuple[int, int]] = {}
        self._aliased = 0

    def read(self, parser: Any) -> None:
        while not isinstance(event := parser.get_event(), yaml.StreamEndEvent):
            if isinstance(event, yaml.CollectionStartEvent):
                self._open.append(_Open(event.anchor, event.start_mark))
                self._check_depth(0, event.start_mark)
            elif isinstance(event, yaml.CollectionEndEvent):
                closed = self._open.pop()
                self._add(closed.anchor, closed.nodes, closed.height)
            elif isinstance(event, yaml.AliasEvent):
                self._follow(event)
            elif isinstance(event, yaml.ScalarEvent):
                self._add(event.anchor, 1, 0)

    def _add(self, anchor: str | None, nodes: int, height: int) -> None:
        if anchor is not None:
            self._anchored[anchor] = (nodes, height)
        if self._open:
            self._open[-1].nodes += nodes
            self._open[-1].height = max(self._open[-1].height, height + 1)

    def _follow(self, event: yaml.AliasEvent) -> None:
        for parent in self._open:
            if parent.anchor == event.anchor:
                # Such a value would be infinite.
                raise yaml.composer.ComposerError(
                    None, None, "an anchor contains itself", parent.mark
                )
        nodes, height = self._anchored.get(
            str(event.anchor), (1, 0)
        )  # an unknown one is told later
        self._aliased += nodes
        if self._aliased > MAX_ALIASED:
            message = f"the aliases up to here stand for more than {MAX_ALIASED:,} values"
            raise LimitError(message, event.start_mark)
        self._check_depth(height, event.start_mark)
        self._add(None, nodes, height)

    def _check_depth(self, height: int, mark: Any) -> None:
        if len(self._open) + height > MAX_DEPTH:
            raise LimitError(f"it is nested more than {MAX_DEPTH} levels deep", mark)

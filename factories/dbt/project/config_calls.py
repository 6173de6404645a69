"""Where a `config()` in a model's SQL or Python gives `meta.dagster`: found without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

KEY = "dagster"
STRING, NAME = "string", "name"


@dataclass(frozen=True)
class Word:
    """A string or a name within a call: its text and its 1-based place."""

    text: str
    line: int
    column: int


@dataclass(frozen=True)
class ConfigCall:
    """The words of a `config()` that gives `meta`, in the file's order."""

    words: tuple[Word, ...]

    def place(self, path: Sequence[str | int]) -> tuple[int, int]:
        """Return the line and column of the last key of a path below `meta` that can be found."""
        left = list(self.words)
        at = left[0]
        for step in path:
            found = next((n for n, word in enumerate(left) if word.text == step), None)
            if found is None:
                continue
            at = left[found]
            del left[: found + 1]
        return at.line, at.column

    def has(self, key: str) -> bool:
        """Tell whether the call says this word."""
        return any(word.text == key for word in self.words)


def config_call(path: Path, name: str) -> ConfigCall | None:
    """Return the call that gives a node its `meta`; None when there is none.

    Args:
        path: The node's file.
        name: The node's name: a file may hold several snapshots.
    """
    from jinja2 import TemplateSyntaxError  # noqa: PLC0415 - few blocks are in SQL

    try:
        text = path.read_text(encoding="utf-8")
        words = _python(text) if path.suffix == ".py" else _jinja(text, name)
        calls = list(words)
    except (OSError, SyntaxError, TemplateSyntaxError, UnicodeDecodeError):
        return None
    in_calls = [word for word, inside in calls if inside]
    start = next((n for n, word in enumerate(in_calls) if word.text == "meta"), None)
    if start is None:
        return None
    within = in_calls[start:]
    if any(word.text == KEY for word in within):
        return ConfigCall(tuple(within))
    # A mapping that the template made before, `config(meta=mine)`: any place that names it.
    everywhere = [word for word, _ in calls]
    first = next((n for n, word in enumerate(everywhere) if word.text == KEY), None)
    return ConfigCall((*within, *(everywhere[first:] if first is not None else ())))


def _jinja(text: str, name: str) -> Iterator[tuple[Word, bool]]:
    """Yield the words of the template's code; True for those within a call of `config`."""
    from jinja2 import Environment  # noqa: PLC0415 - as above

    lines = text.split("\n")
    column: dict[int, int] = {}  # how far each line is read
    tokens = [
        (line, kind, value)
        for line, kind, value in Environment(autoescape=False).lex(text)  # noqa: S701 - nothing is rendered
        if kind not in {"whitespace", "data", "comment", "comment_begin", "comment_end"}
    ]
    depth, own = 0, True
    for number, (line, kind, value) in enumerate(tokens):
        before = [token[2] for token in tokens[max(0, number - 2) : number]]
        if kind == NAME and before[-1:] == ["snapshot"] and before[0].startswith("{%"):
            own = value == name
        if kind == "operator" and value == "(" and (depth or before[-1:] == ["config"]):
            depth += 1
        elif kind == "operator" and value == ")" and depth:
            depth -= 1
        if kind in {STRING, NAME} and own:
            at = lines[line - 1].find(value.split("\n")[0], column.get(line, 0))
            column[line] = at + len(value) if at >= 0 else column.get(line, 0)
            word = value[1:-1] if kind == STRING else value
            yield Word(word, line, max(at, 0) + 1), bool(depth)


def _python(text: str) -> Iterator[tuple[Word, bool]]:
    tree = ast.parse(text)
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            continue
        if call.func.attr != "config":
            continue
        for keyword in call.keywords:
            if keyword.arg is None:
                continue
            yield Word(keyword.arg, keyword.lineno, keyword.col_offset + 1), True
            words = [
                Word(part.value, part.lineno, part.col_offset + 1)
                for part in ast.walk(keyword.value)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            ]
            for word in sorted(words, key=lambda word: (word.line, word.column)):
                yield word, True

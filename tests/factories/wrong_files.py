"""Wrong YAML files, made of valid ones: of their values, and of their text."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.factories.valid_files import PROJECTS

Path = tuple[str | int, ...]

# Text of YAML, as a person or a program may write it where something else belongs.
SCALARS = [
    "", "~", "null", "true", "no", "0", "-1", "1.5", "010", "0x1F", "1e999", ".nan", ".inf",
    "9" * 30, "9" * 5000, "2024-01-31", "2024-99-99", "2024-01-31T06:00:00Z", "0001-01-01",
    "9999-12-31", "12:30:45", '""', '" "', '"\\t"', '"a\\nb"', '"\\0"', "x", "ä", "日本", '"💥"',
    "a b", "a.b", "a/b", "a-b", "'it''s'", '"say \\"hi\\""', "$", "${", "${}", '"${SHOP_URL}"',
    '"${NOT_THERE}"', '"{x}"', '"{{ x }}"', '"{% x %}"', "100%", '"%s"', '"*"', "class", "[]",
    "{}", "[[]]", "[x]", "[1, x]", "{x: 1}", "{1: 2}", "{~: 1}", "{'': 1}", "{x: {y: {z: [1]}}}",
    "x" * 300, "30s", "-30s", "99999999999999d", "1e400d", '"* * * * *"', '"0 0 31 2 *"',
    '"@daily"', "UTC", "Mars/Olympus", "team:", "a@b", "a/raw/b", "a..b", "full-refresh",
    "on_corn", "module:function", "../x", "file:///x", "http://[", "postgres://u:p@[::1",
    "!!int x", "!!binary x", "!x y", "!!set {a}", "&a x", "*nowhere", "{<<: 1}", "{<<: [1]}",
    "{<<: {x: 1}}", "{[a]: b}", "!!timestamp 2024-99-99", "!!python/name:os.system", "!!null x",
    "!!str", "!!map []", "!!seq {}", "!!omap [a: 1]",
]  # fmt: skip
SNIPPETS = [
    "\t", "\r", "\r\n", "\n", " ", ":", ": ", "- ", "-", "[", "]", "{", "}", ",", "#", " #", "'",
    '"', "&a ", "*a", "<<: *a", "<<: *options", "|", ">", "---\n", "...\n", "? ", "!", "!!int ",
    "%", "@", "`", "\\", "\x00", "\x07", "\ufeff", "\u2028", "ä", "=", "~", "${", "}}", "{{",
    "x: 1\n", "? [a]\n: b\n",
]  # fmt: skip


def _paths(value: Any, at: Path = ()) -> list[Path]:
    """Return the paths of all values, the root's too."""
    found = [at]
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            found += _paths(child, (*at, key))
    return found


def _get(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


class _Raw(str):
    """A value that is written as it is."""

    __slots__ = ()


def _write(value: Any) -> str:
    """Write values in flow style; positions then differ in their columns."""
    if isinstance(value, _Raw):
        return str(value)
    if isinstance(value, dict):
        inner = ",\n  ".join(f"{_write_key(key)}: {_write(child)}" for key, child in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_write, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _write_key(key: Any) -> str:
    return str(key) if isinstance(key, _Raw) else json.dumps(str(key), ensure_ascii=False)


def _replace(data: Any, path: Path, make: Callable[[Any], Any]) -> Any:
    if not path:
        return make(data)
    changed = copy.deepcopy(data)
    parent = _get(changed, path[:-1])
    parent[path[-1]] = make(parent[path[-1]])
    return changed


def _rename(data: Any, path: Path, name: str) -> Any:
    changed = copy.deepcopy(data)
    parent = _get(changed, path[:-1])
    items = [(name if key == path[-1] else key, value) for key, value in parent.items()]
    parent.clear()
    parent.update(items)
    return changed


def _misspell(data: Any, path: Path, odd: _Raw) -> Any:
    key = str(path[-1])
    at = len(odd) % (len(key) or 1)
    return _rename(data, path, key[:at] + key[at + 1 :] or "x")


def _write_twice(data: Any, path: Path, odd: _Raw) -> Any:
    key = json.dumps(str(path[-1]))
    return _rename(data, path, _Raw(f"{key}: {odd}, {key}"))


def _delete(data: Any, path: Path, _odd: _Raw) -> Any:
    changed = copy.deepcopy(data)
    del _get(changed, path[:-1])[path[-1]]
    return changed


def _move_to_the_top(data: Any, path: Path, odd: _Raw) -> Any:
    changed = _delete(data, path, odd)
    if isinstance(changed, dict):
        changed[path[-1]] = _get(data, path)
    return changed


Change = Callable[[Any, Path, _Raw], Any]
OF_VALUES: dict[str, Change] = {
    "replace": lambda data, path, odd: _replace(data, path, lambda _: odd),
    "nest": lambda data, path, odd: _replace(data, path, lambda value: {odd or "x": value}),
    "list": lambda data, path, _: _replace(data, path, lambda value: [value]),
}
OF_ENTRIES: dict[str, Change] = {
    "delete": _delete,
    "misspell": _misspell,
    "move": _move_to_the_top,
    "rename": lambda data, path, odd: _rename(data, path, odd or _Raw("x")),
    "write_twice": _write_twice,
}
OF_ITEMS: dict[str, Change] = {
    "delete": _delete,
    "repeat": lambda data, path, _: _replace(data, path[:-1], lambda values: [*values, *values]),
}


def _of_parent(parent: Any) -> dict[str, Change]:
    """Return what can be done with one entry of a mapping, or one item of a list."""
    return OF_ENTRIES if isinstance(parent, dict) else OF_ITEMS


@st.composite
def _changed_values(draw: st.DrawFn, text: str) -> str:
    """Draw a file with one to three of its values or keys changed."""
    data = yaml.safe_load(text)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(_paths(data)))
        odd = _Raw(draw(st.sampled_from(SCALARS)))
        changes = {**OF_VALUES, **(_of_parent(_get(data, path[:-1])) if path else {})}
        change = changes[draw(st.sampled_from(sorted(changes)))]
        data = change(data, path, odd)
        if not isinstance(data, dict | list):
            break
    return _write(data)


@st.composite
def _changed_text(draw: st.DrawFn, text: str) -> str:
    """Draw a file whose text is cut, or holds what does not belong there."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        kind = draw(st.sampled_from(["insert", "insert", "cut", "delete", "line", "indent"]))
        if kind == "insert":
            piece = draw(st.sampled_from(SNIPPETS) | st.sampled_from(SCALARS))
            text = text[:at] + piece + text[at:]
        elif kind == "cut":
            text = text[:at]
        elif kind == "delete":
            text = text[:at] + text[at + draw(st.integers(1, 20)) :]
        else:
            lines = text.split("\n")
            line = draw(st.integers(0, len(lines) - 1))
            if kind == "line":
                lines.insert(draw(st.integers(0, len(lines))), lines[line])
            else:
                lines[line] = draw(st.sampled_from(["  ", "\t", " "])) + lines[line]
            text = "\n".join(lines)
    return text


@st.composite
def wrong_files(draw: st.DrawFn) -> tuple[str, str, str]:
    """Draw a tool, one of its files, and what it holds instead."""
    tool = draw(st.sampled_from(sorted(PROJECTS)))
    names = [name for name in PROJECTS[tool] if not name.endswith(".py")]
    name = draw(st.sampled_from(names))
    text = PROJECTS[tool][name].replace("\\n", "\n")
    return tool, name, draw(_changed_values(text) | _changed_text(text))

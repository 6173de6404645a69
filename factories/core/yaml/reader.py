"""Reads YAML files: problems have a line and column, and duplicate keys are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from factories.core.yaml.limits import MAX_BYTES, LimitError, check_events, check_limits
from factories.core.yaml.loader import Loader
from factories.core.yaml.problems import Problem

KeyPath = Sequence[str | int]
INDEXED = 50  # keys of a mapping from which on they are looked up in an index


@dataclass(frozen=True)
class YamlFile:
    """One parsed YAML file.

    Attributes:
        path: Where it lies.
        name: The path as error messages show it.
        data: Its content as plain Python values.
        text: Its content as text, from which positions are computed when something is wrong.
        key_lines: The 1-based line of every key of the mapping that was asked for on reading.
        nodes: The parsed nodes with their positions, if the caller asked to keep them; otherwise
            the text is parsed again when something is wrong.
    """

    path: Path
    name: str
    data: Any
    text: str = field(repr=False)
    key_lines: Mapping[str, int] = field(default_factory=dict, repr=False)
    nodes: yaml.Node | None = field(default=None, repr=False, compare=False)

    @cached_property
    def _root(self) -> yaml.Node | None:
        return self.nodes or yaml.compose(self.text, Loader)

    def problem(
        self,
        path: KeyPath,
        message: str,
        *,
        allowed: Sequence[str] = (),
        nearest: str | None = None,
        at_key: bool = False,
        variable: str = "",
    ) -> Problem:
        """Return a problem at the position of `path` in this file.

        Args:
            path: Keys and list indexes from the root. If nothing is written there, the problem
                points to the key of the nearest parent that is.
            message: What is wrong.
            allowed: What would have been accepted.
            nearest: The allowed value that is most like what the user wrote.
            at_key: Point at the key, not at its value.
            variable: The environment variable that is not set, where that is what is wrong.
        """
        line, column = self.position(path, at_key=at_key)
        return Problem(self.name, line, column, message, tuple(allowed), nearest, variable)

    def position(self, path: KeyPath, *, at_key: bool = False) -> tuple[int, int]:
        """Return the 1-based line and column of the value (or key) at `path`."""
        node = self._root
        at_value = at = node.start_mark if node is not None else None
        for step in path:
            key, child = self._child(node, step)
            if child is None:
                at_key = True
                break
            node = child
            at_value, at = child.start_mark, (key or child).start_mark
        mark = at if at_key else at_value
        return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)

    def _child(
        self, node: yaml.Node | None, step: str | int
    ) -> tuple[yaml.Node | None, yaml.Node | None]:
        """Return the key and the value below a node; of many keys, by an index."""
        if not isinstance(node, yaml.MappingNode) or len(node.value) < INDEXED:
            return _child(node, step)
        if id(node) not in self._indexes:
            # Of duplicates, the last is the one that was read.
            self._indexes[id(node)] = {key.value: (key, value) for key, value in node.value}
        return self._indexes[id(node)].get(str(step)) or _child(node, step)

    @cached_property
    def _indexes(self) -> dict[int, dict[str, tuple[yaml.Node, yaml.Node]]]:
        return {}

    def has(self, path: KeyPath) -> bool:
        """Tell whether the file has a value at `path`."""
        node = self._root
        for step in path:
            _, node = self._child(node, step)
            if node is None:
                return False
        return True


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node | None, yaml.Node | None]:
    if isinstance(node, yaml.MappingNode):
        for key, value in reversed(node.value):  # of duplicates, the last is the one that was read
            if key.value == str(step) or _reads_as(key) == str(step):
                return key, value
        for merged in _merge_nodes(node):
            if (found := _child(merged, step))[1] is not None:
                return found
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    return None, None


def _reads_as(key: yaml.Node) -> str | None:
    """Return how Python writes a key that is no text: `None` for `~`, `True` for `true`."""
    kind = key.tag.rpartition(":")[2]
    if kind == "null":
        return "None"
    if kind == "bool":
        return str(key.value).capitalize()
    return None


def _merge_nodes(node: yaml.MappingNode) -> Iterator[yaml.Node]:
    """Yield the mappings that `<<` merges into this one, the strongest first."""
    for key, value in node.value:
        if key.tag == "tag:yaml.org,2002:merge":
            yield from value.value if isinstance(value, yaml.SequenceNode) else (value,)


def read_yaml(
    path: Path,
    *,
    root: Path,
    problems: list[Problem],
    lines_of: str | None = None,
    keep_nodes: bool = False,
    holds: str = "keys and values",
) -> YamlFile | None:
    """Read one YAML file.

    Args:
        path: The file.
        root: The project folder; error messages show paths relative to it.
        problems: Receives what is wrong with the file.
        lines_of: A top-level key; the lines of the keys below it are kept in `key_lines`.
        keep_nodes: Keep the parsed nodes, for a caller that asks for positions of valid values too.
        holds: What such a file must hold, for who left it empty.

    Returns:
        The file, or None when it cannot be read or is not a mapping.
    """
    name = display_name(path, root)
    text = _read_text(path, name, problems)
    if text is None:
        return None
    loader = Loader(text)
    try:
        check_limits(text, Loader)
        node = loader.get_single_node()
        key_lines = _key_lines(node, lines_of) if lines_of else {}
        data = _construct(loader, node, text)
    except LimitError as error:
        problems.append(Problem(name, *error.place, str(error.problem)))
        return None
    except yaml.MarkedYAMLError as error:
        problems.append(_invalid(name, error, text))
        return None
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position].decode(errors="ignore").split("\n")
        place = (len(before), len(before[-1]) + 1)
        problems.append(Problem(name, *place, f"not valid YAML: {error.reason}"))
        return None
    finally:
        loader.dispose()
    problems.extend(
        Problem(
            name, mark.line + 1, mark.column + 1, f"duplicate key {key!r}: also on line {first}"
        )
        for key, first, mark in loader.duplicates
    )
    if not isinstance(data, dict):
        message = "must be a mapping of keys to values"
        if data is None:
            message = f"the file is empty: it must hold {holds}"
        problems.append(Problem(name, 1, 1, message))
        return None
    return YamlFile(path, name, data, text, key_lines, node if keep_nodes else None)


def _read_text(path: Path, name: str, problems: list[Problem]) -> str | None:
    """Return the text of a file; None, and a problem, when it has none that is of use."""
    try:
        content = path.read_bytes()
    except OSError as error:
        problems.append(Problem(name, 0, 0, f"cannot be read: {error.strerror}"))
        return None
    if len(content) > MAX_BYTES:
        size = f"{len(content):,} bytes"
        problems.append(Problem(name, 0, 0, f"is too large: {size}, at most {MAX_BYTES:,}"))
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", errors="replace").split("\n")
        message = f"the byte 0x{content[error.start]:02X} is not UTF-8 text: save the file as UTF-8"
        problems.append(Problem(name, len(before), len(before[-1]) + 1, message))
        return None


def _construct(loader: Loader, node: yaml.Node | None, text: str) -> Any:
    try:
        return loader.construct_document(node) if node is not None else None
    except RecursionError:
        check_events(text, Loader)  # which says where
        raise


def _invalid(name: str, error: yaml.MarkedYAMLError, text: str) -> Problem:
    mark, context = error.problem_mark or error.context_mark, error.context_mark
    message = f"not valid YAML: {error.problem}"
    if advice := _advice(text, mark):
        message = f"not valid YAML: {advice}"
    elif error.problem == "but found another document":
        message = "not valid YAML: a second document begins here, a file holds one"
    elif mark and context and context.line < mark.line:
        message += f", {error.context} that starts on line {context.line + 1}"
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return Problem(name, line, column, message)


def _advice(text: str, mark: yaml.Mark | None) -> str | None:
    """Return advice for common mistakes that libyaml's own message does not explain."""
    lines = text.split("\n")
    if mark is None or mark.line >= len(lines):
        return None
    before, after = lines[mark.line][: mark.column], lines[mark.line][mark.column :]
    if after.startswith("\t"):
        return "YAML cannot be indented with tabs: use spaces"
    if after[:1] in {"@", "`", "%"}:
        return f"a text that begins with {after[0]} needs quotes"
    if before.endswith("$") and after.startswith("{"):
        return "a ${VAR} between braces needs quotes"
    if after.startswith(":") and ": " in before:
        return "a text that holds ': ' needs quotes"
    return None


def _key_lines(root: yaml.Node | None, key: str) -> dict[str, int]:
    _, mapping = _child(root, key)
    if not isinstance(mapping, yaml.MappingNode):
        return {}
    return {
        name.value: name.start_mark.line + 1
        for name, _ in mapping.value
        if isinstance(name, yaml.ScalarNode)  # any other is refused when values are made of it
    }


def display_name(path: Path, root: Path) -> str:
    """Return `path` relative to `root` where it lies below it."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def yaml_paths(folder: Path) -> list[Path]:
    """Return the YAML files of a folder, sorted by name so that results are the same everywhere."""
    return sorted(p for p in folder.iterdir() if p.suffix in {".yaml", ".yml"} and p.is_file())

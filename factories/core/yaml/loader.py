"""What libyaml reads, as YAML 1.2 means it."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any

import yaml

from factories.core.yaml.limits import MAX_DEPTH


class Loader(yaml.CSafeLoader):
    """libyaml with YAML 1.2's core scalars, as Sling's and most modern readers take them.

    YAML 1.1's `no` (a boolean), `12:30` (a number) and `2013-01-01` (a date object) stay text.
    """

    # The inherited table is shared by every loader of the process, so this one gets its own.
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's interface, filled below and never changed

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.duplicates: list[tuple[str, int, yaml.Mark]] = []

    def construct_document(self, node: yaml.Node) -> Any:
        """Return the values of a document: as in PyYAML, each round makes one level of them."""
        data = self.construct_object(node)
        for _ in range(MAX_DEPTH + 1):
            if not self.state_generators:
                break
            generators, self.state_generators = self.state_generators, []
            for generator in generators:
                for _value in generator:
                    pass
        else:
            raise RecursionError
        return data

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return a mapping, and note the keys that stand in it twice."""
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) != len(node.value):  # merged keys come first, each once
            self._note_duplicates(node)
        return mapping

    def _note_duplicates(self, node: yaml.MappingNode) -> None:
        seen: dict[str, yaml.Mark] = {}
        for key, _ in node.value:
            if not node.start_mark.index <= key.start_mark.index <= node.end_mark.index:
                continue  # from a merge (<<), which may be overridden
            first = seen.setdefault(key.value, key.start_mark)
            if first is not key.start_mark:
                self.duplicates.append((key.value, first.line + 1, key.start_mark))


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN)",
        "-+.0123456789",
    ),
    ("merge", r"<<", "<"),
):
    Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first)
    )


def _integer(_loader: Loader, node: yaml.ScalarNode) -> int:
    """Read a whole number as YAML 1.2 does: `010` is ten, `0o10` is eight."""
    text = node.value.lower()
    return int(text, 0) if text.startswith(("0x", "0o")) else int(text)


def _check_value(construct: Callable[[Any, Any], object]) -> Callable[[Loader, yaml.Node], object]:
    def construct_checked(loader: Loader, node: yaml.Node) -> object:
        try:
            return construct(loader, node)
        except (AttributeError, KeyError, ValueError):  # what PyYAML lets through: `!!int abc`
            kind = node.tag.rpartition(":")[2]
            shown = repr(node.value if len(node.value) <= 40 else f"{node.value[:40]}…")  # noqa: PLR2004 - part of a line
            message = f"{shown} cannot be read as its tag says, as {kind}"
            raise yaml.constructor.ConstructorError(None, None, message, node.start_mark) from None

    return construct_checked


Loader.add_constructor("tag:yaml.org,2002:int", _check_value(_integer))
for _tag in ("float", "bool", "timestamp", "binary"):
    _name = f"tag:yaml.org,2002:{_tag}"
    Loader.add_constructor(_name, _check_value(Loader.yaml_constructors[_name]))

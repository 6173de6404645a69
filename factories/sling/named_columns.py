"""The columns that a stream's settings name: Sling passes over those that it does not know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, StrictStr

from factories.core.yaml.problems import did_you_mean, nearest
from factories.sling.partition_condition import show_names

ALL = "*"
JSON_COLUMN = "data"  # what Sling reads JSON into that it does not flatten
# Types of Sling's own; a column of any other becomes text.
TYPES = (
    "bigint", "binary", "bool", "date", "datetime", "decimal", "float", "integer", "json",
    "smallint", "string", "text", "time", "timestamp", "timestampz", "timez", "uuid",
)  # fmt: skip
TYPE = re.compile(r"\s*(?P<name>[^(|]*?)\s*(?:\([^()]*\)\s*)?(?:\|.*)?", re.DOTALL)


@dataclass(frozen=True)
class NamedColumn:
    """A column that a setting names.

    Attributes:
        setting: The setting, such as `source_options.columns`.
        name: The column, without what stands around it.
    """

    setting: str
    name: str


def find_named_columns(config: Mapping[str, Any], *, is_file: bool) -> list[NamedColumn]:
    """Return what `columns`, `transforms` and `select` of a stream name.

    Of a file `*` among the types is a name too: Sling takes it for a column of JSON.
    """
    return [
        named
        for named in _named_columns(config)
        if named.name != ALL or (is_file and named.setting.endswith("columns"))
    ]


def _named_columns(config: Mapping[str, Any]) -> Iterator[NamedColumn]:
    for prefix, settings in (("", config), ("source_options.", config.get("source_options"))):
        for key in ("columns", "transforms"):
            names = settings.get(key) if isinstance(settings, Mapping) else None
            if isinstance(names, Mapping):
                yield from (NamedColumn(prefix + key, str(name)) for name in names)
    select = config.get("select") or ()
    for name in [select] if isinstance(select, str) else select:
        yield NamedColumn("select", re.sub(r'["`]', "", str(name).removeprefix("-")))


@dataclass(frozen=True)
class SourceNames:
    """The names of a source's columns, and how Sling compares what settings name with them.

    Attributes:
        names: The source's columns.
        snake: Whether the target's names are in snake case, by which Sling knows columns as well.
        json: Whether they are of JSON: there Sling makes a column of whatever `columns` names, of a
            name in another case and of `*` too.
    """

    names: Sequence[str]
    snake: bool = False
    json: bool = False

    def find_unknown(self, named: Iterable[NamedColumn]) -> list[NamedColumn]:
        """Return those of the named columns that Sling does not find."""
        known = {ALL, *map(self._fold, self.names)}
        return [
            each
            for each in named
            if (
                each.name not in self.names
                if self.json and each.setting.endswith("columns")
                else self._fold(each.name) not in known
            )
        ]

    def may_come_later(self, unknown: Iterable[NamedColumn]) -> bool:
        """Tell whether columns may be in later rows of JSON: none is one that Sling has seen."""
        seen = {ALL, *map(self._fold, self.names)}
        return self.json and not any(self._fold(each.name) in seen for each in unknown)

    def describe(self, unknown: Iterable[NamedColumn]) -> str:
        """Return a sentence for each column that is not there."""
        sentences = [
            f"{each.setting}: there is no column {each.name!r}"
            + did_you_mean(nearest(each.name, self.names))
            for each in unknown
        ]
        return f"{'; '.join(sentences)} (the source has: {show_names(self.names)})"

    def _fold(self, name: str) -> str:
        # Sling's rule is one to one: ß is not ss.
        lower = name.lower()
        return re.sub(r"[^\w*]|_", "", lower) if self.snake else lower


def _check_type(given: str) -> str:
    match = TYPE.fullmatch(given)
    if "$" in given or (match and match["name"] in TYPES):
        return given
    hint = did_you_mean(nearest(match["name"] if match else given, TYPES))
    raise ValueError(
        f"{given!r} is none of Sling's types, and the column would be text{hint}"
        f" (allowed: {', '.join(TYPES)})"
    )


def _check_names(value: Any) -> Any:
    if isinstance(value, Mapping):
        seen: dict[str, str] = {}
        for name in map(str, value):
            if (first := seen.setdefault(name.lower(), name)) != name:
                raise ValueError(f"{name!r} is the column {first!r} again: case makes no other")
    return value


def _check_all(types: dict[str, str]) -> dict[str, str]:
    if ALL in types and len(types) > 1:
        raise ValueError(f"{ALL!r}: Sling applies it to no column where others are named")
    return types


ColumnTypes = Annotated[
    dict[str, Annotated[StrictStr, AfterValidator(_check_type)]],
    AfterValidator(_check_names),
    AfterValidator(_check_all),
]
Transforms = Annotated[Any, AfterValidator(_check_names)]

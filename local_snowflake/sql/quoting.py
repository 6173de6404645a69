"""Names and values in DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Value = str | int | bool | Sequence[str]


def identifier(*parts: str) -> str:
    """A quoted name: `identifier("DB", "T")` is `"DB"."T"`."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(value: Value) -> str:
    """A constant; several texts become a list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "[" + ", ".join(literal(item) for item in value) + "]"


def arguments(options: Mapping[str, Value]) -> str:
    """Named arguments of a table function, each with a comma before it."""
    return "".join(f", {name} = {literal(value)}" for name, value in options.items())

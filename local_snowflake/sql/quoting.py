"""Names and values as text in DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Value = str | int | bool | Sequence[str]


def sql_identifier(*parts: str) -> str:
    """Quote a name: `sql_identifier("DB", "T")` is `"DB"."T"`."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def sql_literal(value: Value) -> str:
    """Write a constant; several strings become a list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "[" + ", ".join(sql_literal(item) for item in value) + "]"


def sql_arguments(options: Mapping[str, Value]) -> str:
    """Write named arguments of a table function, each with a comma before it."""
    return "".join(f", {name} = {sql_literal(value)}" for name, value in options.items())

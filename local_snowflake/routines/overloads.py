"""Finds which of several procedures or functions with one name a call means."""

from __future__ import annotations

from collections.abc import Sequence

from fakesnow.dialect import parse_one
from sqlglot import Expr, exp

from local_snowflake.routines.definitions import Routine

_OF_DUCKDB = {
    "DOUBLE": "FLOAT",
    "FLOAT": "FLOAT",
    "VARCHAR": "VARCHAR",
    "BLOB": "BINARY",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "TIME": "TIME",
    "TIMESTAMP": "TIMESTAMP_NTZ",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_TZ",
    "JSON": "VARIANT",
}
_NUMBERS = {"NUMBER", "FLOAT"}
_SEMI_STRUCTURED = {"VARIANT", "ARRAY", "OBJECT"}
_TIMES = {"TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ", "DATE"}
_UNLIKE = 100


def snowflake_kind(name: str) -> str | None:
    """Return the kind of Snowflake's type for a type of DuckDB; None for NULL."""
    if "NULL" in name:
        return None
    if name.endswith("]"):
        return "ARRAY"
    if name.startswith(("STRUCT", "MAP")):
        return "OBJECT"
    if name.startswith("DECIMAL") or name.endswith("INT") or name == "INTEGER":
        return "NUMBER"
    return _OF_DUCKDB.get(name)


def order_arguments(routine: Routine, given: list[Expr]) -> list[Expr] | None:
    """Return the arguments in their order, with defaults; None if they do not fit."""
    values: dict[str, Expr] = {}
    names = [argument.name for argument in routine.arguments]
    for position, item in enumerate(given):
        if isinstance(item, exp.Kwarg | exp.PropertyEQ):
            name = item.this.name if _is_quoted(item.this) else item.this.name.upper()
            values[name] = item.expression
        elif position < len(names):
            values[names[position]] = item
    defaults = {a.name: a.default for a in routine.arguments if a.default is not None}
    complete = all(name in values or name in defaults for name in names)
    if not complete or len(given) > len(names) or not values.keys() <= set(names):
        return None
    return [values[n] if n in values else parse_one(defaults[n]) for n in names]


def _is_quoted(name: Expr) -> bool:
    identifier = name.this if isinstance(name, exp.Column) else name
    return bool(identifier.args.get("quoted"))


def type_condition(routine: Routine, arguments: Sequence[str]) -> str:
    """Return DuckDB's SQL for whether arguments have the types that a routine declares."""
    conditions = []
    for argument, text in zip(routine.arguments, arguments, strict=True):
        names = [name for name, kind in _OF_DUCKDB.items() if kind == argument.type.kind]
        listed = ", ".join(f"'{name}'" for name in names) or "''"
        condition = f"typeof({text}) IN ({listed})"
        if argument.type.kind == "NUMBER":
            condition = f"regexp_matches(typeof({text}), '^(U?[A-Z]*INT|INTEGER|DECIMAL.*)$')"
        conditions.append(condition)
    return " AND ".join(conditions) or "true"


def best_overload(candidates: Sequence[Routine], kinds: Sequence[str | None]) -> Routine | None:
    """Return the candidate whose argument types are nearest to those of the call."""
    scored = [(_distance(routine, kinds), i, routine) for i, routine in enumerate(candidates)]
    return min(scored, key=lambda score: score[:2])[2] if scored else None


def _distance(routine: Routine, kinds: Sequence[str | None]) -> int:
    return sum(
        _between(kind, argument.type.kind)
        for kind, argument in zip(kinds, routine.arguments, strict=False)
    )


def _between(given: str | None, declared: str) -> int:
    if given is None or given == declared:
        return 0
    for alike in (_NUMBERS, _SEMI_STRUCTURED, _TIMES):
        if given in alike and declared in alike:
            return 1
    if declared == "VARIANT":
        return 2
    if declared == "VARCHAR":
        return 3
    return _UNLIKE

"""Reads the bind variables of a request."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fakesnow.converter import from_binding

from local_snowflake.sql.bindings import NO_BINDINGS, Bindings
from local_snowflake.sql.errors import SqlError, syntax_error
from local_snowflake.sql.statements import Statement


def read_bindings(raw: Mapping[str, Mapping[str, Any]] | None) -> Bindings:
    """Read the `bindings` of a request body: `{"1": {"type": "FIXED", "value": "10"}, …}`."""
    if not raw:
        return NO_BINDINGS
    if not all(key.isdigit() for key in raw):
        return Bindings(({name: _value(bound, bound["value"]) for name, bound in raw.items()},))
    ordered = [raw[key] for key in sorted(raw, key=int)]
    if any(isinstance(bound["value"], list) for bound in ordered):
        columns = [[_value(bound, cell) for cell in bound["value"]] for bound in ordered]
        return Bindings(tuple(list(row) for row in zip(*columns, strict=True)), is_batch=True)
    return Bindings(([_value(bound, bound["value"]) for bound in ordered],))


def distribute_bindings(bindings: Bindings, statements: list[Statement]) -> list[Bindings]:
    """Give each of several statements the values of its own `?`s.

    Raises:
        SqlError: Several statements with arrays or named values, or with too few values.
    """
    if len(statements) <= 1 or bindings is NO_BINDINGS:
        return [bindings] * len(statements)
    values = bindings.rows[0]
    if bindings.is_batch or not isinstance(values, list):
        raise syntax_error("several statements in one request take positional values only")
    if len(values) != sum(statement.binds for statement in statements):
        raise SqlError("The number of values differs from the number of `?`.", 2049, "42601")
    shares = []
    for statement in statements:
        shares.append(Bindings((values[: statement.binds],)))
        values = values[statement.binds :]
    return shares


def _value(bound: Mapping[str, Any], value: str | None) -> Any:
    if value is None:
        return None
    if bound["type"] == "FIXED" and not value.lstrip("-").isdigit():
        return Decimal(value)  # fakesnow reads integers only
    return from_binding({"type": bound["type"], "value": value})

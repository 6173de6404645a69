"""Converts results to the types that Snowflake's drivers know.

What fakesnow lacks: it refuses lists, structs, maps, intervals and small integers, although
translated functions return them (`OBJECT_KEYS`, `LENGTH`, `HASH`), and fails on integers beyond 64
bits.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs
from fakesnow.rowtype import ColumnInfo, describe_as_rowtype

Described = list[tuple[Any, ...]]
"""The rows of DuckDB's DESCRIBE: a name and a type first."""

_INTEGERS = {"INTEGER", "SMALLINT", "TINYINT", "UINTEGER", "USMALLINT", "UTINYINT", "UHUGEINT"}
_TIMESTAMPS = {"TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"}
_KNOWN = {
    *("BIGINT", "HUGEINT", "UBIGINT", "DOUBLE", "VARCHAR", "JSON", "BLOB", "BOOLEAN", "DATE"),
    *("TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", '"NULL"'),
}


def describe_columns(described: Described) -> list[ColumnInfo]:
    """Describe columns as Snowflake does."""
    columns = describe_as_rowtype([(row[0], _fakesnow_type(row[1]), *row[2:]) for row in described])
    for column, (_, kind, *_) in zip(columns, described, strict=True):
        if kind.endswith("]"):
            column["type"] = "array"
        elif kind.startswith(("STRUCT", "MAP")):
            column["type"] = "object"
    return columns


def to_driver_types(table: pa.Table) -> pa.Table:
    """Convert every column to a type that Snowflake's drivers read."""
    columns = [_to_driver_type(column) for column in table.columns]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _fakesnow_type(kind: str) -> str:
    if kind in _KNOWN or kind.startswith("DECIMAL"):
        return kind
    if kind in _INTEGERS:
        return "BIGINT"
    if kind == "FLOAT":
        return "DOUBLE"
    if kind in _TIMESTAMPS:
        return "TIMESTAMP"
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP")):
        return "JSON"
    return "VARCHAR"  # UUID, ENUM, INTERVAL, BIT, …


def _to_driver_type(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _to_driver_type(
            pa.chunked_array([c.storage for c in column.chunks], kind.storage_type)
        )
    is_whole = pa.types.is_decimal(kind) and kind.scale == 0
    if is_whole or (pa.types.is_integer(kind) and kind != pa.int64()):
        return _to_int64(column)
    if pa.types.is_nested(kind):
        column = _to_strings(column, partial(json.dumps, default=str))
    elif pa.types.is_duration(kind) or pa.types.is_interval(kind):
        column = _to_strings(column, str)
    elif pa.types.is_float32(kind):
        column = column.cast(pa.float64())
    elif pa.types.is_timestamp(kind) and kind.unit != "us":
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    return column


def _to_int64(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Convert to 64-bit integers if the values fit: drivers return those as int."""
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column.cast(pa.decimal128(38, 0))


def _to_strings(column: pa.ChunkedArray, write: Callable[[Any], str]) -> pa.ChunkedArray:
    texts = [None if value is None else write(value) for value in column.to_pylist()]
    return pa.chunked_array([pa.array(texts, pa.string())])

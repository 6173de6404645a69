"""Results that handlers make up from Python values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs
from fakesnow.rowtype import ColumnInfo
from fakesnow.statement_type import SELECT

from local_snowflake.engine.results import StatementResult, text_column


def number_column(name: str) -> ColumnInfo:
    """The description of a NUMBER(38,0) column."""
    sizes: ColumnInfo = {**text_column(name), "byteLength": None, "length": None}
    return {**sizes, "type": "fixed", "precision": 38, "scale": 0}


def rows_result(
    rows: Sequence[Sequence[Any]], columns: list[ColumnInfo], type_id: int = SELECT
) -> StatementResult:
    """A result of texts and whole numbers."""
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    types = [pa.int64() if column["type"] == "fixed" else pa.string() for column in columns]
    arrays = [pa.array(values, kind) for values, kind in zip(cells, types, strict=True)]
    names = [column["name"] for column in columns]
    return StatementResult(pa.table(arrays, names=names), columns, type_id)

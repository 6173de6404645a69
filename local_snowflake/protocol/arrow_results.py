"""Rows in the form in which Snowflake sends them.

What upstream lacks: a timestamp that is NULL arrives as 1970-01-01, because the structure that
holds a timestamp's parts is never NULL itself.
"""

from __future__ import annotations

import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs
import pyarrow.compute as pc  # type: ignore[import-untyped]
from fakesnow.arrow import to_ipc, to_sf
from fakesnow.rowtype import ColumnInfo

from local_snowflake.engine.result_types import scale_decimals


def encoded(table: pa.Table, rowtype: list[ColumnInfo]) -> bytes:
    """The rows as an Arrow stream."""
    sent = to_sf(table, rowtype)
    for index, column in enumerate(table.columns):
        if pa.types.is_timestamp(column.type) and column.null_count:
            field = sent.field(index)
            parts = sent.column(index).combine_chunks()
            parts = parts.combine_chunks() if isinstance(parts, pa.ChunkedArray) else parts
            kinds = [kind.with_nullable(True) for kind in field.type]
            masked = pa.StructArray.from_arrays(
                parts.flatten(), fields=kinds, mask=pc.is_null(column).combine_chunks()
            )
            sent = sent.set_column(index, field.with_type(masked.type), masked)
    return bytes(to_ipc(scale_decimals(sent)))

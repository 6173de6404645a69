"""Results in the form in which Snowflake sends them.

What fakesnow lacks: a timestamp that is NULL arrives as 1970-01-01, because the structure that
holds a timestamp's parts is never NULL itself.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs
import pyarrow.compute as pc  # type: ignore[import-untyped]
from fakesnow.arrow import to_ipc, to_sf
from fakesnow.rowtype import ColumnInfo
from fakesnow.statement_type import DML_TYPE_IDS, INSERT, SELECT

from local_snowflake.engine.results import Description, StatementResult, text_column

MULTIPLE_STATEMENTS = 0xA000


@dataclass(frozen=True)
class MultipleResults:
    """The result of a request with several statements.

    Attributes:
        ids: The query id of each statement, by which clients fetch its result.
        results: The result of each.
    """

    ids: list[str] = field(default_factory=list)
    results: list[StatementResult] = field(default_factory=list)


Result = StatementResult | Description | MultipleResults


def response_data(result: Result) -> dict[str, Any]:
    """Build the `data` of the response to a request."""
    if isinstance(result, MultipleResults):
        return _multiple_results(result)
    if isinstance(result, Description):
        return _description(result)
    if result.file_transfer is not None:
        return dict(result.file_transfer)
    return {
        "parameters": [{"name": "TIMEZONE", "value": "Etc/UTC"}],
        "rowtype": result.rowtype,
        "total": result.table.num_rows,
        "returned": result.table.num_rows,
        "statementTypeId": result.type_id,
        **_rows(result),
    }


def _rows(result: StatementResult) -> dict[str, Any]:
    """Rows of DML are sent as JSON, where drivers read the counts, all others as Arrow."""
    if result.type_id in DML_TYPE_IDS:
        cells = [column.to_pylist() for column in result.table.columns]
        rowset = [[None if v is None else str(v) for v in row] for row in zip(*cells, strict=True)]
        return {"queryResultFormat": "json", "rowset": rowset}
    # Without rows no Arrow stream is sent: drivers fail when a stream has no batch.
    ipc = arrow_stream(result.table, result.rowtype) if result.table.num_rows else b""
    return {"queryResultFormat": "arrow", "rowsetBase64": b64encode(ipc).decode()}


def _description(description: Description) -> dict[str, Any]:
    rows: dict[str, Any] = (
        {"queryResultFormat": "arrow", "rowsetBase64": ""}
        if description.type_id == SELECT
        else {"queryResultFormat": "json", "rowset": []}
    )
    return {
        "rowtype": description.rowtype,
        "total": 0,
        "returned": 0,
        "statementTypeId": description.type_id,
        "numberOfBinds": description.binds,
        "arrayBindSupported": description.type_id == INSERT,
        **rows,
    }


def _multiple_results(multiple: MultipleResults) -> dict[str, Any]:
    message = "Multiple statements executed successfully."
    return {
        "parameters": [],
        "rowtype": [text_column("multiple statement execution")],
        "total": 1,
        "returned": 1,
        "queryResultFormat": "json",
        "rowset": [[message]],
        "statementTypeId": MULTIPLE_STATEMENTS,
        "resultIds": ",".join(multiple.ids),
        "resultTypes": ",".join(str(result.type_id) for result in multiple.results),
    }


def arrow_stream(table: pa.Table, rowtype: list[ColumnInfo]) -> bytes:
    """Encode rows as an Arrow stream."""
    sent = to_sf(table, rowtype)
    for index, column in enumerate(table.columns):
        if pa.types.is_timestamp(column.type) and column.null_count:
            sent_field = sent.field(index)
            parts = sent.column(index).combine_chunks()
            parts = parts.combine_chunks() if isinstance(parts, pa.ChunkedArray) else parts
            kinds = [kind.with_nullable(True) for kind in sent_field.type]
            masked = pa.StructArray.from_arrays(
                parts.flatten(), fields=kinds, mask=pc.is_null(column).combine_chunks()
            )
            sent = sent.set_column(index, sent_field.with_type(masked.type), masked)
    return bytes(to_ipc(_scale_decimals(sent)))


def _scale_decimals(table: pa.Table) -> pa.Table:
    """Replace decimals by integers, where they fit; the scale is part of the column's description.

    Snowflake does the same, and drivers turn such integers into float64 in a data frame, but
    decimals into objects.
    """
    for position, column in enumerate(table.schema):
        if pa.types.is_decimal128(column.type) and column.type.scale > 0:
            integers = _unscaled(table.column(position))
            if integers is not None:
                table = table.set_column(position, column.with_type(pa.int64()), integers)
    return table


def _unscaled(column: pa.ChunkedArray) -> pa.Array | None:
    """Return the digits of decimals as 64-bit integers; None when one has more digits."""
    array = column.combine_chunks()
    if array.offset:
        array = pa.concat_arrays([array.slice(0, 0), array])  # a copy from the buffer's start
    missing = array.is_null().to_numpy(zero_copy_only=False)
    words = np.frombuffer(array.buffers()[1] or b"", dtype="<i8")[: 2 * len(array)]
    low, high = words[::2], words[1::2]
    if not bool(np.all((high == low >> 63) | missing)):
        return None
    return pa.array(low, pa.int64(), mask=missing)

"""What a materialization tells of a loaded stream."""

from __future__ import annotations

from typing import Any

import dagster as dg

from factories.core.execution.checks import check_results
from factories.core.execution.table_reader import QueryFailedError, TableReader, table_metadata
from factories.sling.log import StreamResult
from factories.sling.replications import Stream


def materialize_result(
    context: dg.AssetExecutionContext,
    stream: Stream,
    result: StreamResult,
    reader: TableReader,
) -> dg.MaterializeResult[Any]:
    """Describe a loaded stream, and run the asset's checks on it.

    The rows are loaded: what cannot be read of the table afterwards is a warning, no failure, and
    does not stop the streams that Sling still loads.
    """
    metadata = _result_metadata(stream, result)
    columns: dict[str, str] = {}  # where they cannot be read, each check tells what it misses
    try:
        columns = reader.columns(stream.relation)
        metadata |= table_metadata(reader, stream.relation, columns)
    except QueryFailedError as error:
        context.log.warning("%s is loaded but cannot be read: %s", stream.name, error)
    checks = check_results(
        context, stream.key, stream.meta.checks, stream.relation, reader, columns=columns
    )
    return dg.MaterializeResult(asset_key=stream.key, metadata=metadata, check_results=list(checks))


def _result_metadata(stream: Stream, result: StreamResult) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "rows_loaded": result.rows,
        "seconds": round(result.seconds, 3),
        "rows_per_second": round(result.rows / result.seconds) if result.seconds else 0,
        "sling/stream": stream.name,
        "sling/mode": stream.settings.mode,
    }
    if result.bytes is not None:
        metadata["bytes"] = result.bytes
    return metadata

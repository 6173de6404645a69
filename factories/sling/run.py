"""Loads the streams of a replication, and describes each loaded table to Dagster."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagster as dg

from factories.core.execution.checks.run import run_selected_checks
from factories.core.execution.data_versions import add_content_hash, find_data_version
from factories.core.execution.failures import build_step_failure
from factories.core.execution.step import open_step, start_errors_as_failures, wait_before_retry
from factories.core.execution.table_reader import QueryFailedError, TableReader, table_metadata
from factories.core.meta.retries import RetrySpec, max_retries
from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import warehouse_settings
from factories.sling.prepared_streams import prepare_streams
from factories.sling.program import run_sling
from factories.sling.replication_config import ResolvedReplication
from factories.sling.replication_log import LogLine, ReplicationLog, StreamResult
from factories.sling.replications import Replication, Stream
from factories.sling.schema import SlingStream
from factories.sling.table_replacement import TableReplacement

STORAGE_KIND = "dagster/storage_kind"
ADDING = ("incremental", "snapshot", "backfill")  # the modes that leave the rows that are there
# What Sling adds to rows that is of the load.
OF_A_LOAD = frozenset({"_SLING_LOADED_AT", "_SLING_EXEC_ID", "_SLING_ROW_ID", "_SLING_SYNCED_AT"})


@dataclass(frozen=True)
class SelectedStreams:
    """The streams of one file that a step was asked to load.

    Attributes:
        replication: The file.
        streams: The streams, at least one.
        names: How the target's databases and schemas are called.
        full_refresh: Whether to replace the tables, whatever the streams' modes.
    """

    replication: Replication
    streams: Sequence[Stream]
    names: WarehouseNames
    full_refresh: bool = False


def load_streams(
    log: dg.DagsterLogManager,
    replication: ResolvedReplication,
    retries: Mapping[str, RetrySpec | None],
    keys: Mapping[str, dg.AssetKey],
    folder: Path,
    *,
    tables: TableReplacement,
    debug: bool = False,
) -> Generator[StreamResult]:
    """Load all streams in one Sling process, and again, alone, those that fail and may.

    Tables of different databases take a process each. A stream that fails spares the others.

    Args:
        log: The run's log; receives Sling's, without secrets.
        replication: What Sling is given.
        retries: The `retries` block of each stream, by its name.
        keys: The asset of each stream, by its name.
        folder: The step's temporary folder.
        tables: Replaces the tables whose streams load others in their stead.
        debug: Whether Sling logs more.

    Yields:
        The result of each stream that was loaded, as it ends.

    Raises:
        dagster.Failure: After the results, when a stream has failed for good; names each.
    """
    pending = list(replication.streams)
    lost: list[StreamResult] = []
    for attempt in range(1, 2 + max_retries(retries.values())):
        failed: dict[str, StreamResult] = {}
        for result in _run_once(log, replication, pending, folder, tables=tables, debug=debug):
            if result.succeeded:
                yield replace(result, attempt=attempt)
            else:
                failed[result.name] = result
        again = [
            name
            for name in pending
            if name in failed and max_retries([retries.get(name)]) >= attempt
        ]
        lost += [result for name, result in failed.items() if name not in again]
        if not again:
            break
        wait_before_retry(log, [retries.get(name) for name in again], again, attempt)
        pending = again
    if lost:
        reasons = {keys[result.name]: f"{result.name}: {result.error}" for result in lost}
        raise build_step_failure(_describe_failures(lost, len(replication.streams)), reasons)


def _run_once(
    log: dg.DagsterLogManager,
    replication: ResolvedReplication,
    names: Sequence[str],
    folder: Path,
    *,
    tables: TableReplacement,
    debug: bool,
) -> Iterator[StreamResult]:
    """Run one Sling process over these streams; its log goes into the run's, masked."""

    def report(line: LogLine) -> None:
        tables.note(line.text)
        getattr(log, line.level)(replication.mask(line.text))

    conditions, refused = prepare_streams(log, replication, names, folder)
    refused |= tables.prepare(name for name in names if name not in refused)
    for name, reason in refused.items():
        yield StreamResult(name, error=replication.mask(reason))
    names = [name for name in names if name not in refused]
    for group, connections in replication.by_target(names):
        body = replication.to_json(group, conditions)
        process = run_sling(replication.binary, body, connections, folder, debug=debug)
        with closing(process) as lines:
            for loaded in ReplicationLog(tuple(group), report).follow(tables.follow(lines)):
                result = tables.finish(loaded)
                yield replace(result, error=replication.mask(result.error))


def _describe_failures(lost: Sequence[StreamResult], selected: int) -> str:
    rest = "; the others are loaded" if len(lost) < selected else ""
    lines = [f"{len(lost)} of {selected} streams failed{rest}."]
    lines += [f"{result.name}: {result.error}" for result in lost]
    return "\n".join(lines)


def build_materialize_result(
    context: dg.AssetExecutionContext,
    stream: Stream,
    result: StreamResult,
    reader: TableReader,
    columns: Mapping[str, str] | None,
    *,
    full_refresh: bool,
) -> dg.MaterializeResult[Any]:
    """Describe a loaded stream, and run the asset's checks on it.

    The rows are loaded: what cannot be read of the table afterwards is a warning, no failure, and
    does not stop the streams that Sling still loads.

    Args:
        context: Dagster's.
        stream: The stream.
        result: How it ended.
        reader: Looks at its table.
        columns: The table's columns, None where they cannot be read.
        full_refresh: Whether the run replaces tables, whatever the streams' modes.
    """
    metadata = describe_load(result)
    metadata |= {
        "sling/stream": stream.name,
        "sling/mode": stream.settings.mode,
        STORAGE_KIND: "snowflake",
    }
    if columns is not None:
        try:
            metadata |= table_metadata(reader, stream.relation, columns)
        except QueryFailedError as error:
            warn_unreadable(context.log, stream.name, error)
    add_content_hash(
        context,
        stream.meta,
        metadata,
        reader,
        stream.relation,
        columns=columns or (),
        ignored=OF_A_LOAD,
    )
    version = find_data_version(
        context,
        stream.key,
        metadata,
        wrote_nothing=not full_refresh and _wrote_nothing(stream.settings, result),
    )
    # Where the columns cannot be read, each check reports what it lacks.
    checks = run_selected_checks(
        context, stream.key, stream.meta.checks, stream.relation, reader, columns=columns or {}
    )
    return dg.MaterializeResult(
        asset_key=stream.key, metadata=metadata, check_results=list(checks), data_version=version
    )


def _wrote_nothing(settings: SlingStream, result: StreamResult) -> bool:
    """Tell whether a stream's table is as it was: Sling found no new row, and runs no other SQL."""
    options = settings.target_options
    runs_sql = options is not None and bool(options.pre_sql or options.post_sql)
    counted_none = result.is_counted and result.rows == 0 and result.attempt == 1
    return settings.mode in ADDING and counted_none and not runs_sql


def warn_unreadable(log: dg.DagsterLogManager, stream: str, error: QueryFailedError) -> None:
    """Warn that a stream's table cannot be read after its load."""
    log.warning("%s is loaded but cannot be read: %s", stream, error)


def describe_load(result: StreamResult) -> dict[str, Any]:
    """Return what Sling's log has of a load; dagster-sling reads the stream's name of it."""
    metadata: dict[str, Any] = {
        "stream_name": result.name,
        "rows_loaded": result.rows,
        "seconds": round(result.seconds, 3),
        "rows_per_second": round(result.rows / result.seconds) if result.seconds else 0,
    }
    if result.bytes is not None:
        metadata["bytes"] = result.bytes
    return metadata


def run_checks_alone(
    context: dg.AssetExecutionContext, streams: Sequence[Stream], names: WarehouseNames
) -> Iterator[dg.AssetCheckResult]:
    """Run the selected checks of streams that are not loaded, on their tables as they are."""
    selected = {check.asset_key for check in context.selected_asset_check_keys}
    checked = [stream for stream in streams if stream.key in selected]
    if not checked:
        return
    with start_errors_as_failures():
        settings = warehouse_settings()
    with open_step(context, settings, names, "sling") as step:
        for stream in checked:
            yield from run_selected_checks(
                context, stream.key, stream.meta.checks, stream.relation, step.reader
            )

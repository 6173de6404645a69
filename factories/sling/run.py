"""Running a replication's selected streams as one step, with a result for each stream."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import dagster as dg
from pydantic import Field

from factories.core.execution.checks import check_results
from factories.core.execution.run_watchdog import terminate_when_run_ends
from factories.core.execution.table_reader import TableReader
from factories.core.local_systems import LocalSystemError
from factories.core.meta.partitions import UnreadableWindowError, window
from factories.core.meta.retries import max_retries, retry_delay
from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import WarehouseSettingsError, warehouse_settings
from factories.core.yaml.variables import UndefinedVariableError
from factories.sling.launch import Launch, prepare
from factories.sling.log import LogLine, ReplicationLog, StreamResult
from factories.sling.metadata import materialize_result
from factories.sling.process import SlingNotFoundError, find_binary, run_sling
from factories.sling.replications import Replication, Stream


class SlingRunConfig(dg.Config):
    """What a person may choose for one run, in the launchpad."""

    full_refresh: bool = Field(
        default=False, description="Load the selected streams anew, whatever their mode."
    )


def run_streams(
    context: dg.AssetExecutionContext,
    config: SlingRunConfig,
    replication: Replication,
    by_key: Mapping[dg.AssetKey, Stream],
    names: WarehouseNames,
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Run the selected streams of one replication in one Sling process.

    A stream that fails spares the others: what succeeded is materialized as it ends; what failed
    is tried again alone, as its `retries` say. Checks that are selected without their asset run on
    the table as it is.

    Yields:
        A result for each stream that was loaded, and for each check that runs alone.

    Raises:
        dagster.Failure: After the results, when a stream has failed for good; names each. Also
            when the run's window cannot be read or a setting is missing: then nothing has run.
    """
    selected = context.selected_asset_keys
    streams = [stream for key, stream in by_key.items() if key in selected]
    try:
        settings = warehouse_settings()
        launch = None
        if streams:
            launch = prepare(
                replication,
                streams,
                window(context),
                names,
                settings,
                binary=find_binary(),
                full_refresh=config.full_refresh,
            )
    except (
        LocalSystemError,
        SlingNotFoundError,
        UndefinedVariableError,
        UnreadableWindowError,
        WarehouseSettingsError,
    ) as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    lost: list[StreamResult] = []
    with closing(TableReader(settings, names)) as reader:
        for key, stream in by_key.items():
            if key not in selected:
                yield from check_results(context, key, stream.meta.checks, stream.relation, reader)
        if launch is not None:
            with terminate_when_run_ends(context):
                yield from _load(context, launch, streams, reader, lost)
    if lost:
        raise dg.Failure(_report(lost, len(streams)), allow_retries=False)


def _load(
    context: dg.AssetExecutionContext,
    launch: Launch,
    streams: Sequence[Stream],
    reader: TableReader,
    lost: list[StreamResult],
) -> Iterator[dg.MaterializeResult[Any]]:
    """Load streams, and again those that fail and may; the rest of these goes to `lost`."""
    pending = list(streams)
    for attempt in range(1, 2 + max_retries(stream.meta.retries for stream in pending)):
        failed: dict[str, StreamResult] = {}
        for stream, result in _attempt(context, launch, pending):
            if result.succeeded:
                yield materialize_result(context, stream, result, reader)
            else:
                failed[stream.name] = result
        again = [
            s for s in pending if s.name in failed and max_retries([s.meta.retries]) >= attempt
        ]
        retried = {stream.name for stream in again}
        lost += [result for name, result in failed.items() if name not in retried]
        if not again:
            return
        _wait(context, again, attempt)
        pending = again


def _attempt(
    context: dg.AssetExecutionContext, launch: Launch, streams: Sequence[Stream]
) -> Iterator[tuple[Stream, StreamResult]]:
    """Run one Sling process over these streams; its log goes into the run's, masked."""
    by_name = {stream.name: stream for stream in streams}

    def report(line: LogLine) -> None:
        getattr(context.log, line.level)(launch.mask(line.text))

    log = ReplicationLog(tuple(by_name), report)
    with closing(run_sling(launch.binary, launch.body(by_name), launch.connections)) as lines:
        for result in log.follow(lines):
            yield by_name[result.name], replace(result, error=launch.mask(result.error))


def _wait(context: dg.AssetExecutionContext, again: Sequence[Stream], attempt: int) -> None:
    """Wait as long as the most patient of the failed streams asks."""
    seconds = retry_delay([stream.meta.retries for stream in again], attempt)
    names = ", ".join(stream.name for stream in again)
    context.log.warning("trying again in %.0f s (retry %d): %s", seconds, attempt, names)
    time.sleep(seconds)


def _report(lost: Sequence[StreamResult], selected: int) -> str:
    rest = "; the others are loaded" if len(lost) < selected else ""
    lines = [f"{len(lost)} of {selected} streams failed{rest}."]
    lines += [f"{result.name}: {result.error}" for result in lost]
    return "\n".join(lines)

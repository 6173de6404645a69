"""What a run asks the source of its streams before it loads them: which columns they have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from factories.core.execution.window import UnreadableWindowError
from factories.sling.named_columns import JSON_COLUMN, SourceNames
from factories.sling.partition_limits import build_condition
from factories.sling.replication_config import ResolvedReplication
from factories.sling.source_columns import StreamColumns, read_source_columns


class UnknownColumnsError(Exception):
    """The settings of a stream name columns that its source does not have, or may not have."""


def prepare_streams(
    log: dg.DagsterLogManager, replication: ResolvedReplication, names: Sequence[str], folder: Path
) -> tuple[dict[str, str], dict[str, str]]:
    """Build the conditions of streams with partitions, and look for the columns that others name.

    Args:
        log: Receives what is no mistake for sure.
        replication: What Sling is given.
        names: The streams to load.
        folder: The step's temporary folder.

    Returns:
        The condition of the source's SQL for each stream that has a limit; and of each stream that
        cannot be loaded as its settings say, why.
    """
    asked = {
        name: replication.streams[name]
        for name in names
        if name in replication.limits or name in replication.named
    }
    conditions: dict[str, str] = {}
    refused: dict[str, str] = {}
    if not asked:
        return conditions, refused
    for found in read_source_columns(
        replication.binary,
        replication.settings,
        asked,
        replication.connections,
        folder,
        files=replication.files,
    ):
        try:
            _check_named(log, replication, found)
            if found.name in replication.limits:
                conditions[found.name] = build_condition(replication, found)
        except (UnreadableWindowError, UnknownColumnsError) as error:
            refused[found.name] = str(error)
    return conditions, refused


def _check_named(
    log: dg.DagsterLogManager, replication: ResolvedReplication, found: StreamColumns
) -> None:
    """Refuse a stream whose settings name a column that its source does not have.

    Raises:
        UnknownColumnsError: When there is such a column, or the columns cannot be learnt.
    """
    if found.error or not found.columns:
        reason = found.error or "Sling's log names none"
        message = f"the columns of the source cannot be learnt: {reason}"
        raise UnknownColumnsError(message)
    config = replication.streams[found.name]
    named = replication.named.get(found.name, ())
    source_options = config.get("source_options") or {}
    if source_options.get("header") is False and len(found.columns) in {
        len(config.get("columns") or ()),
        len(source_options.get("columns") or ()),
    }:
        return  # names for the columns of a file without a header
    names = [column.name for column in found.columns]
    is_file, flat = found.name in replication.files, bool(source_options.get("flatten"))
    snake = (config.get("target_options") or {}).get("column_casing") == "snake"
    source = SourceNames(names, snake, json=is_file and (flat or names == [JSON_COLUMN]))
    unknown = source.find_unknown(named)
    if not unknown:
        return
    message = source.describe(unknown)
    if flat and source.may_come_later(unknown):
        # Sling takes the columns of later rows from `columns`.
        log.warning("%s: %s in its first rows", found.name, replication.mask(message))
        return
    if names == [JSON_COLUMN]:
        message += ": source_options: {flatten: true} makes columns of JSON"
    raise UnknownColumnsError(message)

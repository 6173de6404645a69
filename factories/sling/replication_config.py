"""The input of one Sling process: its streams, connections, and secrets to mask."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from factories.core.execution.window import TIMESTAMP, UnreadableWindowError, Window
from factories.core.secret_mask import SecretMask
from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import WarehouseSettings
from factories.core.yaml.variables import interpolate
from factories.sling.connections import TARGET, resolve_target_connection
from factories.sling.replications import Replication, Stream

CoveredPartitions = Window | tuple[str, ...]


@dataclass(frozen=True)
class ResolvedReplication:
    """One run's view of a replication: copies, so that no run can change what another reads.

    Attributes:
        binary: The Sling program.
        settings: The replication in Sling's format, without its streams.
        streams: The config of each stream of this run, by its name.
        connections: Each connection's URL or JSON, as Sling finds it in its environment.
        mask: Hides the secrets of the connections, and the values of `${VAR}`s.
    """

    binary: str
    settings: Mapping[str, Any] = field(repr=False)
    streams: Mapping[str, Mapping[str, Any]]
    connections: Mapping[str, str] = field(repr=False)
    mask: SecretMask

    def to_json(self, names: Iterable[str]) -> str:
        """Return a replication in Sling's format with just these streams."""
        body = {**self.settings, "streams": {name: self.streams[name] for name in names}}
        return json.dumps(body, default=_convert_to_plain_value)


def _convert_to_plain_value(value: object) -> object:
    """Return what JSON can hold of a value of Python, such as Sling's own classes of options."""
    to_dict = getattr(value, "to_dict", None)
    if callable(to_dict):
        return to_dict()
    return value.value if isinstance(value, Enum) else str(value)


def resolve_replication(
    replication: Replication,
    streams: Iterable[Stream],
    partitions: CoveredPartitions | None,
    names: WarehouseNames,
    settings: WarehouseSettings,
    *,
    binary: str,
    full_refresh: bool,
) -> ResolvedReplication:
    """Resolve what a run needs; on the local target this starts the systems that it reads.

    Args:
        replication: The file.
        streams: The streams to load.
        partitions: What part of them; None loads them as their mode says.
        names: How the target's databases and schemas are called.
        settings: How to reach the warehouse.
        binary: The Sling program.
        full_refresh: Whether to replace the tables, whatever the streams' modes.

    Raises:
        UndefinedVariableError: When a `${VAR}` has no value.
        UnreadableWindowError: When a stream cannot be limited to the run's partitions.
    """
    source, secrets = replication.connection.resolve()
    target = resolve_target_connection(names, settings)
    configs = {
        stream.name: _resolve_stream(stream, partitions, names, full_refresh=full_refresh)
        for stream in streams
    }
    values: dict[str, str] = {}
    source_name = replication.connection.name.upper()
    sling_settings: dict[str, Any] = {"source": source_name, "target": TARGET}
    if env := interpolate(dict(replication.env), values):
        sling_settings["env"] = env
    return ResolvedReplication(
        binary=binary,
        settings=sling_settings,
        streams=configs,
        connections={source_name: source, TARGET: target},
        mask=SecretMask({*secrets, *settings.secrets, target, *values.values()}),
    )


def _resolve_stream(
    stream: Stream,
    partitions: CoveredPartitions | None,
    names: WarehouseNames,
    *,
    full_refresh: bool,
) -> dict[str, Any]:
    if partitions and full_refresh:
        raise UnreadableWindowError("full_refresh would replace the other partitions' rows")
    config = limit_to_partitions(stream, partitions) if partitions else dict(stream.config)
    table = stream.table
    config["object"] = build_target_object(names, table.database, table.schema, table.table)
    if full_refresh:
        config["mode"] = "full-refresh"
    resolved: dict[str, Any] = interpolate(config)
    return resolved


def build_target_object(
    names: WarehouseNames, database: str | None, schema: str, table: str
) -> str:
    """Return the `object` that loads a table of the target, given its logical names."""
    parts = [names.database(database)] if database else []
    return ".".join([*parts, names.schema(schema), table])


def limit_to_partitions(stream: Stream, partitions: CoveredPartitions) -> dict[str, Any]:
    """Return a stream's config with a condition that limits it to the covered partitions.

    The window is half-open, start <= x < end, so it goes to Sling as a condition: a backfill's
    `range` includes both ends, and a row on a bound would be loaded by two partitions. Rows are
    merged by the primary key alone; with an update key Sling would skip rows older than the
    newest that it has loaded, which a backfill is made of.

    Args:
        stream: A stream with a partition.
        partitions: A window of time, or keys of static partitions.

    Raises:
        UnreadableWindowError: When the stream has no column to limit.
    """
    partition = stream.meta.partition
    column = (partition.column if partition else None) or stream.settings.update_key
    if column is None:
        raise UnreadableWindowError(f"{stream.name}: no column says which partition a row is in")
    condition = _build_condition(column, partitions)
    config = dict(stream.config)
    config.pop("update_key", None)
    config["mode"] = "incremental"
    if query := config.get("sql"):
        # On lines of its own: the user's text may end in a comment.
        inner = query.rstrip().rstrip(";")
        config["sql"] = f"select * from (\n{inner}\n) windowed where {condition}"  # noqa: S608 - the user's own query and a quoted literal
    elif own := config.get("where"):
        config["where"] = f"({own}\n) and {condition}"
    else:
        config["where"] = condition
    return config


def _build_condition(column: str, partitions: CoveredPartitions) -> str:
    if isinstance(partitions, Window):
        start, end = (_format_wall_time(moment) for moment in (partitions.start, partitions.end))
        return f"{column} >= {start} and {column} < {end}"
    keys = ", ".join(_quote_for_source(key) for key in partitions)
    return f"{column} in ({keys})"


def _format_wall_time(moment: datetime) -> str:
    """Return the wall time in the partitions' own zone, as source columns without zone hold it."""
    return _quote_for_source(moment.strftime(TIMESTAMP))


def _quote_for_source(text: str) -> str:
    """Return a text as a literal of the source's SQL, where a backslash is a plain character."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"

"""The input of one Sling process: its streams, connections, and secrets to mask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from factories.core.execution.window import UnreadableWindowError
from factories.core.secret_mask import SecretMask, mask_with_environment
from factories.core.warehouse.names import RAW, WarehouseNames
from factories.core.warehouse.settings import WarehouseSettings
from factories.core.yaml.variables import interpolate
from factories.sling.connections import (
    TARGET,
    UNKNOWN_TYPE,
    find_type,
    resolve_target_connection,
)
from factories.sling.named_columns import NamedColumn, find_named_columns
from factories.sling.partition_condition import CoveredPartitions, PartitionLimit
from factories.sling.program import write_replication
from factories.sling.replications import Replication, Stream
from factories.sling.source_columns import wrap_query
from factories.sling.source_types import FILE_TYPES, FILES_DIALECT, WITHOUT_SQL


@dataclass(frozen=True)
class ResolvedReplication:
    """One run's view of a replication: copies, so that no run can change what another reads.

    Attributes:
        binary: The Sling program.
        settings: The replication in Sling's format, without its streams.
        streams: The config of each stream of this run, by its name.
        connections: Each connection's URL or JSON, as Sling finds it in its environment.
        mask: Hides the secrets of the connections, and the values of `${VAR}`s.
        limits: What limits a stream to the run's partitions, by the stream's name.
        dialect: The type of connection whose SQL the source takes.
        named: The columns that the settings of a stream name, by the stream's name.
        files: The streams that are files, which Sling reads without SQL.
        targets: The target's connection of each stream whose table is in another database.
    """

    binary: str
    settings: Mapping[str, Any] = field(repr=False)
    streams: Mapping[str, Mapping[str, Any]]
    connections: Mapping[str, str] = field(repr=False)
    mask: SecretMask
    limits: Mapping[str, PartitionLimit] = field(default_factory=dict)
    dialect: str = UNKNOWN_TYPE
    named: Mapping[str, Sequence[NamedColumn]] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    targets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def by_target(self, names: Iterable[str]) -> Iterator[tuple[list[str], Mapping[str, str]]]:
        """Yield the streams that one process can load, and the connections that it needs."""
        groups: dict[str | None, list[str]] = defaultdict(list)
        for name in names:
            groups[self.targets.get(name)].append(name)
        for target, group in groups.items():
            yield group, {**self.connections, TARGET: target} if target else self.connections

    def to_json(self, names: Iterable[str], conditions: Mapping[str, str] | None = None) -> str:
        """Return a replication in Sling's format with just these streams.

        Args:
            names: The streams.
            conditions: That of each stream that has a limit, in the source's SQL.
        """
        streams = {
            name: add_condition(self.streams[name], (conditions or {})[name])
            if name in self.limits
            else self.streams[name]
            for name in names
        }
        return write_replication({**self.settings, "streams": streams})


def resolve_replication(
    replication: Replication,
    streams: Sequence[Stream],
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
    raw = names.database(RAW)
    target = resolve_target_connection(settings, raw)
    targets = {
        stream.name: resolve_target_connection(settings, stream.relation.database)
        for stream in streams
        if stream.relation.database != raw
    }
    configs = {
        stream.name: _resolve_stream(stream, partitions, full_refresh=full_refresh)
        for stream in streams
    }
    limits = (
        {stream.name: find_limit(stream, partitions) for stream in streams} if partitions else {}
    )
    dialect = _find_dialect(replication.connection.type, source)
    files = {each.name for each in streams if each.source.file and each.settings.sql is None}
    named = {
        name: columns
        for name, config in configs.items()
        if dialect not in WITHOUT_SQL
        and (columns := find_named_columns(config, is_file=name in files))
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
        mask=mask_with_environment(
            {*secrets, *settings.secrets, target, *targets.values(), *values.values()}
        ),
        limits=limits,
        dialect=dialect,
        named=named,
        files=frozenset(files),
        targets=targets,
    )


def _find_dialect(kind: str, source: str) -> str:
    """Return the type of connection whose SQL the source takes."""
    if kind == UNKNOWN_TYPE:  # a `${VAR}` had its URL
        kind = find_type(source) or kind
    return FILES_DIALECT if kind in FILE_TYPES else kind


def _resolve_stream(
    stream: Stream,
    partitions: CoveredPartitions | None,
    *,
    full_refresh: bool,
) -> dict[str, Any]:
    if partitions and full_refresh:
        raise UnreadableWindowError("full_refresh would replace the other partitions' rows")
    config = dict(stream.config)
    config["object"] = build_stream_object(stream)
    if partitions:
        # Rows are merged by the primary key alone; with an update key Sling would skip rows older
        # than the newest that it has loaded, which a backfill is made of.
        config.pop("update_key", None)
        config["mode"] = "incremental"
    if full_refresh:
        config["mode"] = "full-refresh"
    resolved: dict[str, Any] = interpolate(config)
    return resolved


def build_stream_object(stream: Stream) -> str:
    """Return the `object` that loads a stream's table, and no other.

    In upper case Sling keeps names as they are. It would keep the case of `Orders` as well, and
    load a table that SQL finds in quotes alone.
    """
    relation = stream.relation
    database = [relation.database] if stream.table.database else []
    return ".".join([*database, relation.schema, relation.table])


def build_target_object(
    names: WarehouseNames, database: str | None, schema: str, table: str
) -> str:
    """Return the `object` that loads a table of the target, given its logical names."""
    parts = [names.database(database)] if database else []
    return ".".join([*parts, names.schema(schema), table])


def find_limit(stream: Stream, partitions: CoveredPartitions) -> PartitionLimit:
    """Return what limits a stream to the covered partitions.

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
    hourly = partition is not None and partition.type == "hourly"
    return PartitionLimit(column, partitions, hourly)


def add_condition(config: Mapping[str, Any], condition: str) -> dict[str, Any]:
    """Return a stream's config with a condition on the rows of its source.

    The window of partitions is half-open, so it goes to Sling as a condition: a backfill's `range`
    includes both ends, and a row on a bound would be loaded by two partitions.
    """
    limited = dict(config)
    if query := limited.get("sql"):
        limited["sql"] = wrap_query(query, condition)
    elif own := limited.get("where"):
        limited["where"] = f"({own}\n) and {condition}"
    else:
        limited["where"] = condition
    return limited

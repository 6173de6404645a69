"""From resolved replications to Dagster assets: a pure mapping, no I/O."""

# Dagster reads the annotations of an op's function: they must not be postponed here.

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from factories.core.assets.context import LoadContext
from factories.core.assets.specs import asset_spec, code_reference
from factories.core.assets.step_groups import StepGroup, step_groups
from factories.core.meta.check_specs import check_specs
from factories.core.meta.keys import asset_key, key_part
from factories.core.meta.partitions import partitions_definition
from factories.core.warehouse.names import WarehouseNames
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import display_name
from factories.sling.connections import read_connections
from factories.sling.objects import StreamName
from factories.sling.replications import Replication, Stream, read_replications
from factories.sling.run import SlingRunConfig, run_streams


def build_sling_assets(
    folder: Path, load_context: LoadContext
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """Return the assets of a `sling/` folder.

    Each replication makes one multi-asset for its streams, or one for each combination of
    partitions and pool where these differ, for a Dagster step has one of each. The source's tables
    are external assets.

    Args:
        folder: Holds `connections.yaml` and a replication in every other YAML file.
        load_context: Receives the problems and the asset keys.
    """
    connections = read_connections(folder, load_context)
    replications = read_replications(folder, connections, load_context)
    sources = _SourceKeys(replications)
    _check_names(replications, sources, load_context)
    if load_context.problems:
        return []
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = list(sources.specs())
    for replication in replications:
        assets.extend(_multi_assets(replication, sources, load_context))
    return assets


def _check_names(
    replications: Sequence[Replication], sources: "_SourceKeys", load_context: LoadContext
) -> None:
    """Report files whose ops would have one name, and assets that are also a source's table."""
    files: dict[str, Replication] = {}
    for replication in replications:
        first = files.setdefault(key_part(replication.name), replication)
        name = display_name(replication.path, load_context.root)
        if first is not replication:
            message = f"{first.path.name} has the same name to Dagster: give this file another"
            load_context.problems.append(Problem(name, 0, 0, message))
        for stream in replication.streams:
            key = sources.key(replication, stream)
            if origin := load_context.produced.get(key):
                message = f"{stream.name!r} reads {key.to_user_string()}, which {origin} produces"
                load_context.problems.append(Problem(name, stream.line, 1, message))


class _SourceKeys:
    """The keys of the external source tables, `<system>/src/<table>`.

    Where one system has tables of the same name in several schemas or databases, these keys name
    these too, whichever file comes first.
    """

    def __init__(self, replications: Sequence[Replication]) -> None:
        streams = [
            (made, stream, _table(stream)) for made in replications for stream in made.streams
        ]
        owners: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        for made, stream, table in streams:
            owner = (stream.source.database.lower(), stream.source.schema.lower())
            owners[made.system, table].add(owner)
        self._replications = replications
        self._keys = {
            (made.path, stream.name): _source_key(
                made.system, stream.source, table, owners[made.system, table]
            )
            for made, stream, table in streams
        }

    def key(self, replication: Replication, stream: Stream) -> dg.AssetKey:
        return self._keys[replication.path, stream.name]

    def specs(self) -> Iterator[dg.AssetSpec]:
        seen: set[dg.AssetKey] = set()
        for replication in self._replications:
            system = replication.system
            kinds = {replication.connection.type}
            for stream in replication.streams:
                key = self.key(replication, stream)
                if key not in seen:
                    seen.add(key)
                    yield dg.AssetSpec(key, group_name=stream.meta.group or system, kinds=kinds)


def _source_key(
    system: str, source: StreamName, table: str, owners: set[tuple[str, str]]
) -> dg.AssetKey:
    """Return a source table's key, with what tells it from others of its name."""
    parts = [table]
    if len({schema for _, schema in owners}) > 1:
        parts.insert(0, source.schema)
    if len({database for database, _ in owners}) > 1:
        parts.insert(0, source.database)
    return asset_key(system, "src", "_".join(part for part in parts if part))


def _table(stream: Stream) -> str:
    """Return the source table's part of a key; a name without ASCII letters gives none."""
    return key_part(stream.source.table) or stream.key.path[-1]


def _multi_assets(
    replication: Replication, sources: _SourceKeys, load_context: LoadContext
) -> Iterator[dg.AssetsDefinition]:
    groups = step_groups("sling", replication.name, replication.streams, lambda s: s.meta)
    for group in groups:
        specs = [_spec(replication, stream, sources) for stream in group.items]
        yield _multi_asset(group, specs, replication, load_context.names)


def _multi_asset(
    group: StepGroup[Stream],
    specs: list[dg.AssetSpec],
    replication: Replication,
    names: WarehouseNames,
) -> dg.AssetsDefinition:
    by_key = {stream.key: stream for stream in group.items}

    @dg.multi_asset(
        name=group.name,
        specs=specs,
        check_specs=[
            check
            for key, stream in by_key.items()
            for check in check_specs(key, stream.meta.checks)
        ],
        can_subset=True,
        partitions_def=partitions_definition(group.partition) if group.partition else None,
        # A range of partitions is one window, and one Sling process.
        backfill_policy=dg.BackfillPolicy.single_run() if group.partition else None,
        pool=group.pool,
    )
    def sling_replication(
        context: dg.AssetExecutionContext, config: SlingRunConfig
    ) -> Iterable[Any]:
        yield from run_streams(context, config, replication, by_key, names)

    return sling_replication


def _spec(replication: Replication, stream: Stream, sources: _SourceKeys) -> dg.AssetSpec:
    return asset_spec(
        stream.key,
        stream.meta,
        stream.condition,
        deps=[sources.key(replication, stream)],
        group=replication.system,
        kinds={"sling", "snowflake"},
        metadata={
            "dagster/code_references": code_reference(replication.path, stream.line),
            "dagster/table_name": str(stream.relation),
            "sling/stream": stream.name,
            "sling/mode": stream.settings.mode,
        },
        code_version=stream.code_version,
        description=stream.settings.description,
    )

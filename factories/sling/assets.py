"""From replications to Dagster assets: a pure mapping, no I/O."""

# Dagster reads the annotations of an op's function: they must not be postponed here.

import traceback
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import dagster as dg

from factories.core.assets.context import LoadContext, Origin
from factories.core.assets.step_groups import StepGroup, step_groups
from factories.core.assets.translators import find_translator_problem
from factories.core.execution.reexecution import made_before, rematerialize_for_waiting_steps
from factories.core.execution.table_reader import COLUMN_SCHEMA
from factories.core.meta.check_specs import check_names, check_specs
from factories.core.meta.keys import asset_key, key_part
from factories.core.meta.partitions import partitions_definition
from factories.core.warehouse.names import WarehouseNames
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import display_name
from factories.sling.connections import read_connections
from factories.sling.objects import StreamName
from factories.sling.replications import Replication, Stream, read_replications
from factories.sling.run import SelectedStreams, run_checks_alone
from factories.sling.run_config import SlingRunConfig

if TYPE_CHECKING:
    from factories.sling.translator import ReplicationTranslator

COLUMN_LINEAGE = "dagster/column_lineage"


@dataclass(frozen=True)
class _StreamAsset:
    """A stream and the spec of its asset; the stream's key is the spec's."""

    stream: Stream
    spec: dg.AssetSpec


def build_sling_assets(
    folder: Path,
    load_context: LoadContext,
    translator: Optional["ReplicationTranslator"] = None,
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """Return the assets of a `sling/` folder.

    Each replication makes one multi-asset for its streams, or one for each combination of
    partitions and pool where these differ, as a Dagster step has one of each. The source's tables
    are external assets.

    Args:
        folder: Holds `connections.yaml` and a replication in every other YAML file.
        load_context: Receives the problems and the asset keys.
        translator: A company's own; may change what a stream's asset is like.
    """
    connections = read_connections(folder, load_context)
    replications = read_replications(folder, connections, load_context)
    sources = _SourceKeys(replications)
    _check_file_names(replications, load_context)
    made = _translate(replications, sources, translator, load_context)
    _check_sources(replications, sources, load_context)
    if load_context.problems:
        return []
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = list(sources.specs(made))
    for replication, stream_assets in zip(replications, made, strict=True):
        assets.extend(_multi_assets(replication, stream_assets, load_context.names))
    return assets


def _translate(
    replications: Sequence[Replication],
    sources: "_SourceKeys",
    translator: Optional["ReplicationTranslator"],
    load_context: LoadContext,
) -> list[list[_StreamAsset]]:
    """Return the assets of each replication; their keys and tables are claimed."""
    try:
        # Imported here, so that a missing dagster-sling is reported as a problem.
        from factories.sling.translator import (  # noqa: PLC0415 - see above
            ReplicationTranslator,
            StreamDefinition,
        )
    except ImportError as error:
        load_context.problems.append(Problem("sling", 0, 0, _import_problem(error)))
        return []
    translator = ReplicationTranslator() if translator is None else translator
    if unusable := find_translator_problem(
        "sling_translator", translator, ReplicationTranslator, SUPERSEDED_METHODS
    ):
        load_context.problems.append(unusable)
        return []
    made: list[list[_StreamAsset]] = []
    for replication in replications:
        file = display_name(replication.path, load_context.root)
        stream_assets: list[_StreamAsset] = []
        for stream in replication.streams:
            definition = StreamDefinition(replication, stream, sources.key(replication, stream))
            try:
                spec = translator.get_asset_spec(definition)
            except Exception as error:  # noqa: BLE001 - a company's own code may raise anything
                message = f"{type(translator).__name__}: {_describe_error(error)}"
                load_context.problems.append(Problem(file, stream.line, 1, message))
                continue
            if problem := _spec_problem(stream, spec):
                message = f"{type(translator).__name__}: {problem}"
                load_context.problems.append(Problem(file, stream.line, 1, message))
                continue
            load_context.claim(
                spec.key,
                str(stream.relation),
                Origin(file, stream.line),
                checks=check_names(stream.meta.checks),
            )
            if spec.key != stream.key:
                stream = replace(stream, key=spec.key)  # noqa: PLW2901 - from here on, its key
            stream_assets.append(_StreamAsset(stream, spec))
        made.append(stream_assets)
    return made


def _import_problem(error: ImportError) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == "dagster_sling":
        return "this environment has no dagster_sling: install dagster-sling to load replications"
    return f"the installed dagster-sling does not fit: {error}"


# What dagster-sling's translator had before `get_asset_spec`.
SUPERSEDED_METHODS = (
    "get_asset_key", "get_deps_asset_key", "get_description", "get_metadata", "get_tags",
    "get_kinds", "get_group_name", "get_auto_materialize_policy",
)  # fmt: skip


def _describe_error(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"


def _spec_problem(stream: Stream, spec: object) -> str | None:
    """Return what is wrong with the spec that a translator returned."""
    if not isinstance(spec, dg.AssetSpec):
        return (
            f"get_asset_spec returned {type(spec).__name__} for {stream.name!r}, not an AssetSpec"
        )
    partition = stream.meta.partition
    expected = partitions_definition(partition) if partition else None
    if spec.partitions_def is not expected and spec.partitions_def != expected:
        return f"{stream.name!r}: partitions are set by meta.dagster.partition, not by a translator"
    if spec.key != stream.key and any(dep.asset_key == spec.key for dep in spec.deps):
        return f"{stream.name!r}: {spec.key.to_user_string()} cannot depend on itself"
    return None


def _check_file_names(replications: Sequence[Replication], load_context: LoadContext) -> None:
    """Report files whose ops would have one name."""
    files: dict[str, Replication] = {}
    for replication in replications:
        first = files.setdefault(key_part(replication.name), replication)
        if first is not replication:
            name = display_name(replication.path, load_context.root)
            message = f"{first.path.name} has the same name to Dagster: give this file another"
            load_context.problems.append(Problem(name, 0, 0, message))


def _check_sources(
    replications: Sequence[Replication], sources: "_SourceKeys", load_context: LoadContext
) -> None:
    """Report assets that are also a source's table."""
    for replication in replications:
        name = display_name(replication.path, load_context.root)
        for stream in replication.streams:
            key = sources.key(replication, stream)
            if origin := load_context.produced.get(key):
                message = f"{stream.name!r} reads {key.to_user_string()}, which {origin} produces"
                load_context.problems.append(Problem(name, stream.line, 1, message))


class _SourceKeys:
    """The keys of the external source tables, `<system>/src/<table>`.

    Where one system has tables of the same name in several schemas or databases, the keys hold
    these too, whichever file comes first.
    """

    def __init__(self, replications: Sequence[Replication]) -> None:
        streams = [
            (made, stream, _name_table(stream)) for made in replications for stream in made.streams
        ]
        owners: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        for made, stream, table in streams:
            owner = (stream.source.database.lower(), stream.source.schema.lower())
            owners[made.system, table].add(owner)
        self._replications = replications
        self._keys = {
            (made.path, stream.name): _build_source_key(
                made.system, stream.source, table, owners[made.system, table]
            )
            for made, stream, table in streams
        }

    def key(self, replication: Replication, stream: Stream) -> dg.AssetKey:
        return self._keys[replication.path, stream.name]

    def specs(self, made: Sequence[Sequence[_StreamAsset]]) -> Iterator[dg.AssetSpec]:
        """Yield an external asset for each table, in the group of the first stream that reads it.

        Args:
            made: The assets of each replication.
        """
        seen: set[dg.AssetKey] = set()
        for replication, stream_assets in zip(self._replications, made, strict=True):
            kinds = {replication.connection.type}
            for asset in stream_assets:
                key = self.key(replication, asset.stream)
                if key not in seen:
                    seen.add(key)
                    yield dg.AssetSpec(key, group_name=asset.spec.group_name, kinds=kinds)


def _build_source_key(
    system: str, source: StreamName, table: str, owners: set[tuple[str, str]]
) -> dg.AssetKey:
    """Return a source table's key, with its schema and database where others have its name."""
    parts = [table]
    if len({schema for _, schema in owners}) > 1:
        parts.insert(0, source.schema)
    if len({database for database, _ in owners}) > 1:
        parts.insert(0, source.database)
    return asset_key(system, "src", "_".join(part for part in parts if part))


def _name_table(stream: Stream) -> str:
    """Return the source table's part of a key: the asset's where its name has no ASCII letters."""
    return key_part(stream.source.table) or stream.key.path[-1]


def _multi_assets(
    replication: Replication, stream_assets: Sequence[_StreamAsset], names: WarehouseNames
) -> Iterator[dg.AssetsDefinition]:
    groups = step_groups("sling", replication.name, stream_assets, lambda a: a.stream.meta)
    for group in groups:
        yield _multi_asset(group, replication, names)


def _multi_asset(
    group: StepGroup[_StreamAsset], replication: Replication, names: WarehouseNames
) -> dg.AssetsDefinition:
    streams = [asset.stream for asset in group.items]

    @dg.multi_asset(
        name=group.name,
        specs=[asset.spec for asset in group.items],
        check_specs=[
            check for stream in streams for check in check_specs(stream.key, stream.meta.checks)
        ],
        can_subset=True,
        partitions_def=partitions_definition(group.partition) if group.partition else None,
        # A range of partitions is one window, and one Sling process.
        backfill_policy=dg.BackfillPolicy.single_run() if group.partition else None,
        pool=group.pool,
        required_resource_keys={"sling"},
    )
    def sling_replication(
        context: dg.AssetExecutionContext, config: SlingRunConfig
    ) -> Iterable[Any]:
        selected, before = context.selected_asset_keys, made_before(context)
        yield from rematerialize_for_waiting_steps(context, before)
        wanted = [stream for stream in streams if stream.key in selected]
        loaded = [stream for stream in wanted if stream.key not in before.runs]
        others = [stream for stream in streams if stream.key not in selected]
        yield from run_checks_alone(context, others, names)
        if loaded:
            events = context.resources.sling.replicate(
                context=context,
                selected=SelectedStreams(replication, loaded, names, config.full_refresh),
            )
            for event in events.fetch_column_metadata():
                yield _with_column_names_of_table(event)

    return sling_replication


def _with_column_names_of_table(event: dg.MaterializeResult[Any]) -> dg.MaterializeResult[Any]:
    """Give the lineage of columns the names that the table has; dagster-sling's are lower case."""
    metadata = dict(event.metadata or {})
    lineage, schema = metadata.get(COLUMN_LINEAGE), metadata.get(COLUMN_SCHEMA)
    if not isinstance(lineage, dg.TableColumnLineage) or not isinstance(schema, dg.TableSchema):
        return event
    names = {column.name.lower(): column.name for column in schema.columns}
    deps: Mapping[str, Sequence[dg.TableColumnDep]] = lineage.deps_by_column
    metadata[COLUMN_LINEAGE] = dg.TableColumnLineage(
        {names.get(column, column): columns for column, columns in deps.items()}
    )
    return event._replace(metadata=metadata)

"""Reading replications: from a native Sling file to fully resolved streams.

Defaults are expanded here, for two readers of one rule can differ: dagster-sling 0.29 honours
`defaults.meta.dagster.asset_key` when it declares assets and not when it runs them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg

from factories.core.assets.blocks import KEY, MetaBlocks
from factories.core.assets.context import LoadContext
from factories.core.meta.dagster_meta import DagsterMeta, merge_meta
from factories.core.meta.keys import asset_key, key_part, parse_key
from factories.core.meta.names import canonical_json
from factories.core.warehouse.names import RAW, Relation
from factories.core.yaml import variables
from factories.core.yaml.models import SourceMap, validate, validate_partly
from factories.core.yaml.problems import nearest
from factories.core.yaml.reader import YamlFile, read_yaml, yaml_paths
from factories.sling.connections import CONNECTIONS_FILE, TARGET, UNKNOWN_TYPE, Connection
from factories.sling.env_settings import check_env
from factories.sling.objects import (
    ObjectError,
    StreamName,
    TargetTable,
    parse_stream,
    resolve_object,
)
from factories.sling.schema import ReplicationFile, SlingStream
from factories.sling.stream_checks import check_stream

MERGED_OPTIONS = ("source_options", "target_options")


@dataclass(frozen=True)
class Stream:
    """One stream with nothing left to inherit.

    Attributes:
        name: Its name in the file, as Sling knows it.
        source: What the name says of the source's table.
        config: Everything Sling needs, without `meta`; the object is a template no more.
        settings: The same, validated.
        table: The table that it loads, in logical names.
        relation: The same, as the target's warehouse has it.
        key: The asset that it makes, by convention or by its `asset_key`.
        meta: Its `meta.dagster` block.
        whole_meta: Its `meta` as YAML has it, over the defaults': also what others keep there.
        line: 1-based line of the stream in the file.
    """

    name: str
    source: StreamName
    config: Mapping[str, Any]
    settings: SlingStream
    table: TargetTable
    relation: Relation
    key: dg.AssetKey
    meta: DagsterMeta
    whole_meta: Mapping[str, Any]
    line: int

    @cached_property
    def code_version(self) -> str:
        """A version that changes when this stream's own config does, and only then."""
        text = canonical_json(dict(self.config))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Replication:
    """One replication file.

    Attributes:
        name: The file's name without its ending.
        path: Where it lies.
        connection: The system that it reads.
        streams: Those that are not disabled, in the file's order.
        env: Sling's environment settings.
    """

    name: str
    path: Path
    connection: Connection
    streams: tuple[Stream, ...]
    env: Mapping[str, str | bool | int]

    @property
    def system(self) -> str:
        """The first part of the asset keys."""
        return key_part(self.connection.name)


def read_replications(
    folder: Path, connections: Mapping[str, Connection] | None, load_context: LoadContext
) -> list[Replication]:
    """Read every replication of a `sling/` folder; mistakes go to `load_context.problems`.

    Connections are None when their own file could not be read: then no source is looked up.
    """
    paths = [path for path in yaml_paths(folder) if path.name != CONNECTIONS_FILE]
    read = (_read_replication(path, connections, load_context) for path in paths)
    return [replication for replication in read if replication is not None]


def _read_replication(
    path: Path, connections: Mapping[str, Connection] | None, load_context: LoadContext
) -> Replication | None:
    file = read_yaml(
        path,
        root=load_context.root,
        problems=load_context.problems,
        lines_of="streams",
        holds="a replication: source, target and streams",
    )
    if file is None:
        return None
    places = SourceMap(file, [])
    model = validate_partly(
        ReplicationFile, file.data, places, load_context.problems, needed=["defaults"]
    )
    if model is None:
        return None
    if "$" in file.text:
        variables.check(file, file.data, [], load_context.problems)
    if model.target and model.target.upper() != TARGET:
        message = f"target: must be {TARGET}: all data ends in the warehouse"
        load_context.problems.append(file.problem(["target"], message))
    connection = connections.get(model.source.lower()) if connections is not None else None
    if connection is None:
        if connections is not None and model.source:
            names = [known.name for known in connections.values()]
            message = f"source: {model.source!r} is not in {CONNECTIONS_FILE}"
            near = nearest(model.source, names)
            load_context.problems.append(
                file.problem(["source"], message, allowed=names, nearest=near)
            )
        connection = Connection(model.source, UNKNOWN_TYPE, "")
    check_env(file, model.env, load_context.problems)
    streams = tuple(_read_streams(file, model, connection, load_context))
    return Replication(path.stem, path, connection, streams, dict(model.env))


def _read_streams(
    file: YamlFile, model: ReplicationFile, connection: Connection, load_context: LoadContext
) -> Iterable[Stream]:
    defaults = {key: value for key, value in model.defaults.items() if key != "meta"}
    default_meta = model.defaults.get("meta")
    metas = MetaBlocks(file, default_meta, load_context)
    kind = "" if connection.type == UNKNOWN_TYPE else connection.type
    for name, given in model.streams.items():
        own = given or {}
        places = SourceMap(file, ["streams", name], ["defaults"])
        merged = _merge_settings(defaults, own)
        settings = validate(SlingStream, merged, places, load_context.problems)
        disabled = settings is not None and settings.disabled
        meta = metas.of(["streams", name], own.get("meta"), disabled=disabled)
        if settings is None or meta is None or disabled:
            continue
        source = parse_stream(name, is_query=settings.sql is not None, kind=kind)
        # Rules between settings concern the stream, even where it inherits one of them.
        here = SourceMap(file, ["streams", name])
        if not check_stream(
            name, source, settings, meta, kind, places=here, problems=load_context.problems
        ):
            continue
        try:
            table = resolve_object(str(settings.object), source, connection.name)
        except ObjectError as error:
            at = places if error.inherited else here
            problem = at.problem(
                ["object"], str(error), allowed=error.allowed, nearest=error.nearest
            )
            load_context.problems.append(problem)
            continue
        key = (
            parse_key(meta.asset_key)
            if meta.asset_key
            else asset_key(connection.name, "raw", table.table)
        )
        if not all(key.path):
            message = f"{name!r} has no letters or digits to make an asset key of: set asset_key"
            load_context.problems.append(here.problem([], message, at_key=True))
        if key.to_user_string() in meta.deps:
            message = f"deps: {key.to_user_string()} cannot depend on itself"
            load_context.problems.append(metas.places(["streams", name]).problem(["deps"], message))
        relation = load_context.names.relation(table.database or RAW, table.schema, table.table)
        yield Stream(
            name=name,
            source=source,
            config=merged,
            settings=settings,
            table=table,
            relation=relation,
            key=key,
            meta=meta,
            whole_meta=_merge_metas(default_meta, own.get("meta"), load_context),
            line=file.key_lines.get(name, 1),
        )


def _merge_settings(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Put a stream's keys over the defaults; the options are merged key by key, as Sling does."""
    merged = {**defaults, **own}
    merged.pop("meta", None)
    for key in MERGED_OPTIONS:
        general, specific = defaults.get(key), own.get(key)
        if isinstance(general, dict) and isinstance(specific, dict):
            merged[key] = {**general, **specific}
    return merged


def _merge_metas(default: Any, own: Any, load_context: LoadContext) -> dict[str, Any]:
    """Put a stream's `meta` over the defaults'; the `dagster` block has rules of its own."""
    general = default if isinstance(default, dict) else {}
    specific = own if isinstance(own, dict) else {}
    blocks = [meta.get(KEY) for meta in (general, specific)]
    old, new = (block if isinstance(block, dict) else {} for block in blocks)
    dagster = merge_meta(old, new, load_context.conditions.config_keys)
    return {**general, **specific, KEY: dagster}

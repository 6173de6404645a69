"""Reading replications: from a native Sling file to fully resolved streams.

Defaults are expanded here, for two readers of one rule can differ: dagster-sling 0.29 honours
`defaults.meta.dagster.asset_key` when it declares assets and not when it runs them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg

from factories import variables
from factories.automation import Condition
from factories.build import Build, Origin
from factories.errors import nearest
from factories.keys import asset_key, key_part, parse_key
from factories.models import Places, validate
from factories.sling.connections import CONNECTIONS_FILE, DATABASE, TARGET, Connection
from factories.sling.objects import (
    ObjectError,
    StreamName,
    TargetTable,
    parse_stream,
    resolve_object,
)
from factories.sling.rules import check_stream
from factories.sling.schema import ReplicationFile, SlingStream
from factories.spec import DagsterMeta, merge_meta
from factories.yaml_files import YamlFile, read_yaml, yaml_paths

DEFAULT_BLOCK = ("defaults", "meta", "dagster")
BLOCK_KEY = "dagster"
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
        key: The asset that it makes.
        meta: Its `meta.dagster` block.
        condition: Dagster's automation condition, None for never.
        line: 1-based line of the stream in the file.
    """

    name: str
    source: StreamName
    config: Mapping[str, Any]
    settings: SlingStream
    table: TargetTable
    key: dg.AssetKey
    meta: DagsterMeta
    condition: Condition | None
    line: int

    @cached_property
    def code_version(self) -> str:
        """A version that changes when this stream's own config does, and only then."""
        text = json.dumps(self.config, sort_keys=True, default=str)
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
    folder: Path, connections: Mapping[str, Connection] | None, build: Build
) -> list[Replication]:
    """Read every replication of a `sling/` folder; mistakes go to the build's problems.

    Connections are None when their own file could not be read: then no source is looked up.
    """
    paths = [path for path in yaml_paths(folder) if path.name != CONNECTIONS_FILE]
    read = (_read_replication(path, connections, build) for path in paths)
    return [replication for replication in read if replication is not None]


def _read_replication(
    path: Path, connections: Mapping[str, Connection] | None, build: Build
) -> Replication | None:
    file = read_yaml(path, root=build.root, problems=build.problems, lines_of="streams")
    if file is None:
        return None
    model = validate(ReplicationFile, file.data, Places(file, []), build.problems)
    if model is None:
        return None
    if "${" in file.text:
        variables.check(file, file.data, [], build.problems)
    if model.target.upper() != TARGET:
        message = f"target: must be {TARGET}: all data ends in the warehouse"
        build.problems.append(file.problem(["target"], message))
    connection = connections.get(model.source.lower()) if connections is not None else None
    if connection is None:
        if connections is not None:
            names = [known.name for known in connections.values()]
            message = f"source: {model.source!r} is not in {CONNECTIONS_FILE}"
            near = nearest(model.source, names)
            build.problems.append(file.problem(["source"], message, allowed=names, nearest=near))
        connection = Connection(model.source, "database", "")
    streams = tuple(_streams(file, model, connection, build))
    return Replication(path.stem, path, connection, streams, dict(model.env))


def _streams(
    file: YamlFile, model: ReplicationFile, connection: Connection, build: Build
) -> Iterable[Stream]:
    defaults = {key: value for key, value in model.defaults.items() if key != "meta"}
    metas = _Metas(file, model.defaults.get("meta"), build)
    for name, given in model.streams.items():
        own = given or {}
        places = Places(file, ["streams", name], ["defaults"])
        merged = _merge(defaults, own)
        settings = validate(SlingStream, merged, places, build.problems)
        meta, condition = metas.of(name, own.get("meta"))
        if settings is None or meta is None or settings.disabled:
            continue
        source = parse_stream(name, is_query=settings.sql is not None)
        # Rules between settings concern the stream, even where it inherits one of them.
        here = Places(file, ["streams", name])
        if not check_stream(name, source, settings, meta, places=here, problems=build.problems):
            continue
        try:
            table = resolve_object(str(settings.object), source, connection.name)
        except ObjectError as error:
            at = places if error.inherited else here
            problem = at.problem(
                ["object"], str(error), allowed=error.allowed, nearest=error.nearest
            )
            build.problems.append(problem)
            continue
        key = (
            parse_key(meta.asset_key)
            if meta.asset_key
            else asset_key(connection.name, "raw", table.table)
        )
        origin = Origin(file.name, file.key_lines.get(name, 1))
        if not all(key.path):
            message = f"{name!r} has no letters or digits to make an asset key of: set asset_key"
            build.problems.append(here.problem([], message, at_key=True))
        if key.to_user_string() in meta.deps:
            message = f"deps: {key.to_user_string()} cannot depend on itself"
            build.problems.append(metas.places(name).problem(["deps"], message))
        build.claim(key, relation(table, build), origin)
        yield Stream(name, source, merged, settings, table, key, meta, condition, origin.line)


def relation(table: TargetTable, build: Build) -> str:
    """Return the table's name in the warehouse: database, schema and table, upper case."""
    database = build.names.database(table.database or DATABASE)
    return f"{database}.{build.names.schema(table.schema)}.{table.table}".upper()


def _merge(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Put a stream's keys over the defaults; the options are merged key by key, as Sling does."""
    merged = {**defaults, **own}
    merged.pop("meta", None)
    for key in MERGED_OPTIONS:
        general, specific = defaults.get(key), own.get(key)
        if isinstance(general, dict) and isinstance(specific, dict):
            merged[key] = {**general, **specific}
    return merged


class _Metas:
    """The `meta.dagster` blocks of one file; streams without one share the defaults' model."""

    def __init__(self, file: YamlFile, default_meta: Any, build: Build) -> None:
        self._file = file
        self._build = build
        self._keys = build.conditions.config_keys
        self._default = self._block(default_meta, ["defaults", "meta"])
        self._shared: tuple[DagsterMeta | None, Condition | None] | None = None

    def of(self, name: str, meta: Any) -> tuple[DagsterMeta | None, Condition | None]:
        if meta is None:
            if self._shared is None:
                self._shared = self._resolve(self._default, Places(self._file, DEFAULT_BLOCK))
            return self._shared
        own = self._block(meta, ["streams", name, "meta"])
        merged = merge_meta(self._default, own, self._keys)
        return self._resolve(merged, self.places(name))

    def places(self, name: str) -> Places:
        """Return where a stream's block is written: its own, then the file's defaults."""
        return Places(self._file, ["streams", name, "meta", "dagster"], DEFAULT_BLOCK)

    def _block(self, meta: Any, at: list[str]) -> dict[str, Any]:
        self._check_key(meta, at)
        block = meta.get(BLOCK_KEY) if isinstance(meta, dict) else meta
        if block is None:
            return {}
        if not isinstance(block, dict):
            at = [*at, BLOCK_KEY] if isinstance(meta, dict) else at
            self._build.problems.append(self._file.problem(at, "must be a mapping"))
            return {}
        self._check_variables(block, at)
        return block

    def _check_key(self, meta: Any, at: list[str]) -> None:
        """Report a key that was meant to be `dagster`, or to stand below it.

        Any other is somebody else's.
        """
        for key in meta if isinstance(meta, dict) else ():
            if key in DagsterMeta.model_fields:
                message = f"{key}: belongs below meta.{BLOCK_KEY}, here nothing reads it"
                problem = self._file.problem([*at, key], message, at_key=True)
                self._build.problems.append(problem)
                continue
            if key != BLOCK_KEY and nearest(str(key), [BLOCK_KEY]):
                problem = self._file.problem(
                    [*at, key], f"unknown key {key!r}", nearest=BLOCK_KEY, at_key=True
                )
                self._build.problems.append(problem)

    def _check_variables(self, block: dict[str, Any], at: list[str]) -> None:
        """Refuse `${VAR}`: the block is read when the location loads, and shows in the catalog."""
        for path, name in variables.names(block):
            message = f"${{{name}}}: {BLOCK_KEY} takes no variables: write the value"
            place = [*at, BLOCK_KEY, *path]
            self._build.problems.append(self._file.problem(place, message))

    def _resolve(
        self, block: dict[str, Any], places: Places
    ) -> tuple[DagsterMeta | None, Condition | None]:
        problems = self._build.problems
        meta = validate(DagsterMeta, block, places, problems)
        if meta is None:
            return None, None
        condition = self._build.conditions.resolve(
            meta.automation_condition, meta.automation_condition_config, places, problems
        )
        return meta, condition

"""Replications that a team writes in Python, with dagster-sling's own `@sling_assets`.

Sling gets them unchanged, except the schema and database of `object`, which are the target's as
in YAML: in `dev` each person loads tables of their own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster_sling import DagsterSlingTranslator, SlingReplicationParam
from pydantic import ValidationError

from factories.core.errors import StepStartError
from factories.core.meta.retries import RetrySpec
from factories.core.secret_mask import mask_with_environment
from factories.core.warehouse.names import RAW, WarehouseNames
from factories.core.warehouse.settings import WarehouseSettings
from factories.core.yaml import variables
from factories.core.yaml.problems import did_you_mean, nearest
from factories.sling.connections import TARGET, SlingEnvironment, resolve_target_connection
from factories.sling.objects import FILE
from factories.sling.replaced_tables import StreamPlace
from factories.sling.replication_config import ResolvedReplication, build_target_object
from factories.sling.schema import MAX_NAME_PARTS
from factories.sling.sling_internals import (
    METADATA_KEY_REPLICATION_CONFIG,
    METADATA_KEY_TRANSLATOR,
    get_streams_from_replication,
    streams_with_default_dagster_meta,
    validate_replication,
)
from factories.sling.sql_variables import stream_variables

StepContext = dg.AssetExecutionContext | dg.OpExecutionContext


class ReplicationError(StepStartError):
    """A replication written in Python cannot be run; the text says why."""


@dataclass(frozen=True)
class PythonReplication:
    """The selected streams of one replication.

    Attributes:
        config: The whole replication, as it was given.
        streams: The selected streams' own settings, by name.
        keys: Their asset keys.
        retries: Their `meta.dagster.retries`.
        names: How the target's databases and schemas are called.
    """

    config: Mapping[str, Any]
    streams: Mapping[str, Mapping[str, Any]]
    keys: Mapping[str, dg.AssetKey]
    retries: Mapping[str, RetrySpec | None]
    names: WarehouseNames

    @property
    def target(self) -> str:
        """The connection that is loaded."""
        return str(self.config["target"])

    @property
    def loads_target(self) -> bool:
        """Whether that is the target's warehouse."""
        return self.target.upper() == TARGET

    @property
    def connection_names(self) -> tuple[str, str]:
        """The connections that the replication names."""
        return str(self.config["source"]), self.target

    def find_database(self, stream: str) -> str | None:
        """Return the database that a stream's `object` names; None for that of the connection."""
        own, defaults = self.streams[stream], self.config.get("defaults") or {}
        parts = str(own.get("object") or defaults.get("object") or "").split(".")
        return self.names.database(parts[0]) if len(parts) == MAX_NAME_PARTS else None

    def find_places(self) -> dict[str, StreamPlace]:
        """Return what is known of the streams before Sling's log names their tables."""
        source, _ = self.connection_names
        env = {key: str(value) for key, value in (self.config.get("env") or {}).items()}
        return {
            name: StreamPlace(
                None, self.find_database(name), {**env, **stream_variables(name, source)}
            )
            for name in self.streams
        }

    def find_targets(self, settings: WarehouseSettings) -> dict[str, str]:
        """Return the target's connection of each stream whose table is in another database."""
        databases = {name: self.find_database(name) for name in self.streams}
        return {
            name: resolve_target_connection(settings, database)
            for name, database in databases.items()
            if database and database != self.names.database(RAW)
        }

    def resolve(self, environment: SlingEnvironment, binary: str) -> ResolvedReplication:
        """Return the input of Sling's process.

        Args:
            environment: The connections.
            binary: The Sling program.

        Raises:
            ReplicationError: When there is no such connection.
        """
        settings = {key: value for key, value in self.config.items() if key != "streams"}
        connections = dict(environment.connections)
        for side in ("source", "target"):
            name = str(self.config[side])
            if name.upper() in environment.connections:
                settings[side] = name.upper()
            elif name in os.environ:  # Sling takes a variable for a connection of its name
                connections[name] = os.environ[name]
            elif "://" not in name and name.upper() != "LOCAL":  # folders
                hint = did_you_mean(nearest(name, environment.known))
                message = f"{side}: {name!r} is not a connection of the resource 'sling'{hint}"
                raise ReplicationError(message)
        if isinstance(settings.get("defaults"), Mapping):
            settings["defaults"] = self._with_target_object(settings["defaults"])
        streams = {name: self._with_target_object(own) for name, own in self.streams.items()}
        used = {name for _, name in variables.names({**settings, "streams": streams})}
        values = {os.environ[name] for name in used if name in os.environ}
        return ResolvedReplication(
            binary=binary,
            settings=settings,
            streams=streams,
            connections=connections,
            mask=mask_with_environment({*environment.secrets, *values}),
        )

    def _with_target_object(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        template = settings.get("object")
        if not self.loads_target or not isinstance(template, str):
            return dict(settings)
        parts = template.split(".")
        if '"' in template or not 2 <= len(parts) <= MAX_NAME_PARTS:  # noqa: PLR2004 - schema.table
            return dict(settings)
        database = parts[0] if len(parts) == MAX_NAME_PARTS else None
        return {**settings, "object": build_target_object(self.names, database, *parts[-2:])}


def read_python_replication(
    context: StepContext,
    replication: SlingReplicationParam | None,
    translator: DagsterSlingTranslator | None,
    names: WarehouseNames,
) -> PythonReplication:
    """Return the selected streams of a replication.

    Args:
        context: Dagster's; says which assets are selected.
        replication: A replication or its path; None for that of the step's `@sling_assets`.
        translator: Gives the streams' asset keys; None for that of the step's `@sling_assets`.
        names: How the target's databases and schemas are called.

    Raises:
        ReplicationError: When there is no replication, or it cannot be run.
    """
    metadata: Mapping[str, Any] = {}
    if context.has_assets_def:
        metadata = next(iter(context.assets_def.metadata_by_key.values()), {})
    given = replication or metadata.get(METADATA_KEY_REPLICATION_CONFIG)
    if given is None:
        raise ReplicationError(
            "replicate() was given no replication_config, and the step is not of @sling_assets"
        )
    config = validate_replication(given)
    for side in ("source", "target"):
        if not config.get(side):
            raise ReplicationError(f"the replication has no {side}")
    found = translator or metadata.get(METADATA_KEY_TRANSLATOR) or DagsterSlingTranslator()
    streams: dict[str, Mapping[str, Any]] = {}
    keys: dict[str, dg.AssetKey] = {}
    retries: dict[str, RetrySpec | None] = {}
    config = _with_run_config(context, config)
    own = config.get("streams") or {}
    raw = get_streams_from_replication(config)
    for definition in streams_with_default_dagster_meta(raw, config):
        name = str(definition["name"])
        key = found.get_asset_spec(definition).key
        if context.has_assets_def and key not in context.selected_asset_keys:
            continue
        settings = definition["config"] or {}
        if "*" in name and not FILE.search(name) and not settings.get("sql"):
            raise ReplicationError(f"{name!r} would be one asset for many tables: list each")
        streams[name], keys[name] = own[name] or {}, key
        retries[name] = _retries(name, settings)
    if not streams:
        raise ReplicationError("no stream of the replication makes an asset that is selected")
    return PythonReplication(config, streams, keys, retries, names)


def _with_run_config(context: StepContext, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a replication with the `context_streams` of a run's config in place of its own."""
    is_asset = isinstance(context, dg.AssetExecutionContext)
    op_config = (context.op_execution_context if is_asset else context).op_config
    streams = op_config.get("context_streams") if isinstance(op_config, Mapping) else None
    return {**config, "streams": streams} if streams else config


def _retries(name: str, settings: Mapping[str, Any]) -> RetrySpec | None:
    block = ((settings.get("meta") or {}).get("dagster") or {}).get("retries")
    try:
        return None if block is None else RetrySpec.model_validate(block)
    except ValidationError as error:
        message = error.errors()[0]["msg"]
        raise ReplicationError(f"{name}: meta.dagster.retries: {message}") from None

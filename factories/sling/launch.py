"""What one Sling process is given: the streams as they shall run, connections, secrets to mask."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from factories.core.execution.secrets import SecretMask
from factories.core.meta.partitions import UnreadableWindowError, Window
from factories.core.warehouse.names import RAW, WarehouseNames
from factories.core.warehouse.settings import WarehouseSettings
from factories.core.yaml.variables import interpolate
from factories.sling.connections import TARGET
from factories.sling.replications import Replication, Stream
from factories.sling.window import windowed

Covered = Window | tuple[str, ...] | None


@dataclass(frozen=True)
class Launch:
    """One run's view of a replication: copies, so that no run can change what another reads.

    Attributes:
        binary: The Sling program.
        replication: The file, with its connection.
        configs: Each stream of this run as Sling shall run it, by its name.
        env: Sling's environment settings of the replication.
        connections: Each connection's URL or JSON, as Sling finds it in its environment.
        mask: Hides the secrets of both connections, and what stands for a `${VAR}` in `env`.
    """

    binary: str
    replication: Replication
    configs: Mapping[str, Mapping[str, Any]]
    env: Mapping[str, Any] = field(repr=False)
    connections: Mapping[str, str] = field(repr=False)
    mask: SecretMask

    def body(self, names: Iterable[str]) -> dict[str, Any]:
        """Return a replication in Sling's format with just these streams."""
        body: dict[str, Any] = {
            "source": self.replication.connection.name.upper(),
            "target": TARGET,
            "streams": {name: self.configs[name] for name in names},
        }
        if self.env:
            body["env"] = self.env
        return body


def prepare(
    replication: Replication,
    streams: Iterable[Stream],
    covered: Covered,
    names: WarehouseNames,
    settings: WarehouseSettings,
    *,
    binary: str,
    full_refresh: bool,
) -> Launch:
    """Resolve what a run needs; on the local target this starts the systems it reads.

    Raises:
        UndefinedVariableError: When a `${VAR}` has no value.
        UnreadableWindowError: When a stream cannot be limited to the run's partitions.
    """
    source, secrets = replication.connection.resolve()
    target = settings.sling_connection(names.database(RAW))
    target_text = target if isinstance(target, str) else json.dumps(target)
    configs = {
        stream.name: _config(stream, covered, names, full_refresh=full_refresh)
        for stream in streams
    }
    values: dict[str, str] = {}
    return Launch(
        binary=binary,
        replication=replication,
        configs=configs,
        env=interpolate(dict(replication.env), values),
        connections={replication.connection.name.upper(): source, TARGET: target_text},
        mask=SecretMask({*secrets, *settings.secrets, target_text, *values.values()}),
    )


def _config(
    stream: Stream, covered: Covered, names: WarehouseNames, *, full_refresh: bool
) -> dict[str, Any]:
    if covered and full_refresh:
        raise UnreadableWindowError("full_refresh would replace the other partitions' rows")
    config = windowed(stream, covered) if covered else dict(stream.config)
    table = stream.table
    parts = [names.database(table.database)] if table.database else []
    config["object"] = ".".join([*parts, names.schema(table.schema), table.table])
    if full_refresh:
        config["mode"] = "full-refresh"
    resolved: dict[str, Any] = interpolate(config)
    return resolved

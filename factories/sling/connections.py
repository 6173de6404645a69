"""`sling/connections.yaml`, and the connections that a Sling process finds in its environment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factories.core.assets.context import LoadContext
from factories.core.errors import StepStartError
from factories.core.meta.condition_lookup import AutomationConditions
from factories.core.project import project_root
from factories.core.warehouse.names import RAW, warehouse_names
from factories.core.warehouse.settings import WarehouseSettings, warehouse_settings
from factories.core.yaml import variables
from factories.core.yaml.models import SourceMap, validate_partly
from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import YamlFile, read_yaml
from factories.sling.connection_properties import find_property_problems
from factories.sling.schema import CONNECTION_TYPES, ConnectionsFile

CONNECTIONS_FILE = "connections.yaml"
UNKNOWN_TYPE = "database"  # of a URL that a `${VAR}` holds as a whole
TARGET = "SNOWFLAKE"
# What may show in logs; any other `${VAR}` of a connection is masked.
PUBLIC_PROPERTIES = frozenset(
    {"type", "host", "port", "user", "username", "database", "dbname", "schema", "account"}
    | {"role", "warehouse", "protocol", "region", "bucket", "sslmode"}
)
# A property whose name holds one of these is masked also when YAML has it without a `${VAR}`.
SECRET_WORDS = ("url", "pass", "secret", "token", "key", "credential")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
# A connection reaches Sling as an environment variable of its name: these mean something else to
# the process itself.
PROCESS_VARIABLES = frozenset(
    {"HOME", "LANG", "PATH", "PWD", "SHELL", "TEMP", "TMP", "TMPDIR", "TZ", "USER"}
    | {"ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_DIR", "SSL_CERT_FILE"}
)
# The schemes of URLs that are called otherwise than their type.
SCHEMES = {
    "mongodb+srv": "mongodb",
    "mssql": "sqlserver",
    "postgresql": "postgres",
    "sqlite3": "sqlite",
}
PROCESS_PREFIXES = ("SLING_", "LD_")


@dataclass(frozen=True)
class Connection:
    """One source system, as YAML gives it: `${VAR}`s stand unresolved.

    Attributes:
        name: Its name in YAML.
        type: Sling's type, such as `postgres`.
        properties: A URL, or properties by name.
    """

    name: str
    type: str
    properties: str | Mapping[str, Any] = field(repr=False)

    def resolve(self) -> tuple[str, set[str]]:
        """Return the connection as Sling reads it from the environment, and its secrets.

        Raises:
            UndefinedVariableError: When a `${VAR}` has no value.
        """
        if isinstance(self.properties, str):
            values: dict[str, str] = {}
            url = variables.interpolate(self.properties, values)
            return url, {*values.values(), url}
        secrets: set[str] = set()
        resolved: dict[str, Any] = {}
        for key, text in self.properties.items():
            values = {}
            resolved[key] = variables.interpolate(text, values)
            if key not in PUBLIC_PROPERTIES:
                secrets.update(values.values())
                if _is_secret(key):
                    secrets.add(str(resolved[key]))
        return json.dumps(resolved), secrets


def read_connections(folder: Path, load_context: LoadContext) -> dict[str, Connection] | None:
    """Read the connections of a `sling/` folder; mistakes go to `load_context.problems`.

    Returns:
        The connections by lower-case name, also those with mistakes; None when the file as a
        whole cannot be read.
    """
    path = folder / CONNECTIONS_FILE
    if not path.is_file():
        return {}
    file = read_yaml(
        path, root=load_context.root, problems=load_context.problems, holds="the key connections"
    )
    if file is None:
        return None
    model = validate_partly(ConnectionsFile, file.data, SourceMap(file, []), load_context.problems)
    if model is None:
        return None
    variables.check(file, file.data["connections"], ["connections"], load_context.problems)
    # A mistake in one is reported once, not again by each replication that names it.
    found = {
        str(name).lower(): Connection(str(name), UNKNOWN_TYPE, "")
        for name in _find_invalid(file, model)
    }
    for name, properties in model.connections.items():
        at = ["connections", name]
        if name.upper() == TARGET:
            message = f"{TARGET} is the target, which DP_TARGET chooses: leave it out here"
            load_context.problems.append(file.problem(at, message, at_key=True))
            continue
        if wrong := _name_problem(name):
            load_context.problems.append(file.problem(at, wrong, at_key=True))
        kind = find_type(properties)
        wrong_values = list(_value_problems(file, name, kind, properties))
        load_context.problems.extend(wrong_values)
        if same := found.get(name.lower()):
            message = f"{name!r} and {same.name!r} are the same name to Sling"
            load_context.problems.append(file.problem(at, message, at_key=True))
        # A mistake in one is reported once, not again by each stream that reads from it.
        kind = UNKNOWN_TYPE if wrong_values else kind or UNKNOWN_TYPE
        found[name.lower()] = Connection(name, kind, properties)
    return found


def _find_invalid(file: YamlFile, model: ConnectionsFile) -> list[str]:
    return [name for name in file.data["connections"] if name not in model.connections]


def _name_problem(name: str) -> str | None:
    """Return why a connection cannot have this name."""
    if not NAME.fullmatch(name):
        return f"{name!r} is not a connection name: a letter, then letters, digits, '_' and '-'"
    if name.upper() in PROCESS_VARIABLES or name.upper().startswith(PROCESS_PREFIXES):
        return f"{name!r} is an environment variable of Sling's process: choose another name"
    return None


def _value_problems(
    file: YamlFile, name: str, kind: str | None, properties: str | Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield what is wrong with a connection's URL, or its type and properties."""
    at = ["connections", name]
    if isinstance(properties, str):
        if kind is None and "${" not in properties:
            message = f"{name}: a connection is a URL like postgres://…, or a mapping with its type"
            yield file.problem(at, message)
        elif kind is not None and kind not in CONNECTION_TYPES:
            message = f"{name}: {kind}:// is not a connection type of Sling"
            near = nearest(kind, CONNECTION_TYPES)
            yield file.problem(at, message, allowed=CONNECTION_TYPES, nearest=near)
    elif kind in CONNECTION_TYPES:
        yield from find_property_problems(file, name, kind, properties)
    else:
        yield _type_problem(file, at, kind)


def _type_problem(file: YamlFile, at: list[str], kind: str | None) -> Problem:
    if kind is None:
        return file.problem(at, "the key 'type' is missing", at_key=True)
    return file.problem(
        [*at, "type"],
        f"{kind!r} is not a connection type of Sling",
        allowed=CONNECTION_TYPES,
        nearest=nearest(kind, CONNECTION_TYPES),
    )


def find_type(properties: str | Mapping[str, Any]) -> str | None:
    """Return Sling's type of a connection; None when it does not say one.

    Args:
        properties: A URL, or properties by name.
    """
    if isinstance(properties, str):
        scheme, found, _ = properties.partition("://")
        scheme = scheme.lower()
        return SCHEMES.get(scheme, scheme) if found and "${" not in scheme else None
    kind = properties.get("type")
    return str(kind) if kind is not None else None


@dataclass(frozen=True)
class SlingEnvironment:
    """Connections with their secrets.

    Attributes:
        connections: Each one's URL or JSON, by its name in capitals.
        secrets: What must never show.
        known: The names of all connections, also those that were not asked for.
    """

    connections: Mapping[str, str] = field(repr=False)
    secrets: frozenset[str] = field(repr=False)
    known: frozenset[str]


def resolve_environment(
    own: Mapping[str, str], folder: str | None, names: Sequence[str] | None
) -> SlingEnvironment:
    """Resolve connections: of `connections.yaml`, the target, and a resource's own.

    Args:
        own: The connections of a resource, as JSON; they win over those of the file.
        folder: The folder of `connections.yaml`, relative to the project folder.
        names: Those that are needed: others may lack a variable. None resolves all.

    Raises:
        StepStartError: When the file cannot be used, or what a connection needs is missing.
    """
    listed = {name.upper(): connection for name, connection in _read_listed(folder).items()}
    given = {name.upper(): text for name, text in own.items()}
    known = frozenset({*listed, *given, TARGET})
    needed = known if names is None else known.intersection(name.upper() for name in names)
    connections: dict[str, str] = {}
    secrets: set[str] = set()
    for name in sorted(needed):
        if name in given:
            connections[name] = given[name]
            secrets |= {given[name], *_find_secrets(given[name])}
        elif name in listed:
            connections[name], found = listed[name].resolve()
            secrets |= found
        else:
            settings = warehouse_settings()
            connections[name] = resolve_target_connection(settings, warehouse_names().database(RAW))
            secrets |= {*settings.secrets, connections[name]}
    return SlingEnvironment(connections, frozenset(secrets), known)


def _read_listed(folder: str | None) -> dict[str, Connection]:
    if folder is None:
        return {}
    load_context = LoadContext(project_root(), warehouse_names(), AutomationConditions())
    found = read_connections(load_context.root / folder, load_context)
    if load_context.problems:
        raise StepStartError(str(load_context.problems[0]))
    return found or {}


def resolve_target_connection(settings: WarehouseSettings, database: str) -> str:
    """Return the connection of the target's warehouse, as Sling reads it from its environment.

    Args:
        settings: How to reach the warehouse.
        database: What is loaded into: Sling 1.4 passes over the database that an `object` names.
    """
    connection = settings.sling_connection(database)
    return connection if isinstance(connection, str) else json.dumps(connection)


def _find_secrets(connection: str) -> set[str]:
    """Return what a connection, as JSON, holds that must not show."""
    properties = json.loads(connection)
    return {str(value) for key, value in properties.items() if value and _is_secret(key)}


def _is_secret(key: str) -> bool:
    return any(word in key.lower() for word in ("connection_string", *SECRET_WORDS))

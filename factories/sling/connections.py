"""`sling/connections.yaml`: the systems that replications read from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factories import variables
from factories.build import Build
from factories.errors import Problem, nearest
from factories.models import Places, validate
from factories.sling.schema import CONNECTION_TYPES, ConnectionsFile
from factories.yaml_files import YamlFile, read_yaml

CONNECTIONS_FILE = "connections.yaml"
TARGET = "SNOWFLAKE"
DATABASE = "RAW"
# What may show in logs; any other `${VAR}` of a connection is masked.
PUBLIC_PROPERTIES = frozenset(
    {"type", "host", "port", "user", "username", "database", "dbname", "schema", "account"}
    | {"role", "warehouse", "protocol", "region", "bucket", "sslmode"}
)
# A property whose name holds one of these is masked also when YAML has it without a `${VAR}`.
SECRET_WORDS = ("url", "pass", "secret", "token", "key", "credential")


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
    properties: str | Mapping[str, Any]

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
                if any(word in key for word in SECRET_WORDS):
                    secrets.add(str(resolved[key]))
        return json.dumps(resolved), secrets


def read_connections(folder: Path, build: Build) -> dict[str, Connection] | None:
    """Read the connections of a `sling/` folder; mistakes go to the build's problems.

    Returns:
        The connections by lower-case name, also those with mistakes; None when the file as a
        whole cannot be read.
    """
    path = folder / CONNECTIONS_FILE
    if not path.is_file():
        return {}
    file = read_yaml(path, root=build.root, problems=build.problems)
    if file is None:
        return None
    model = validate(ConnectionsFile, file.data, Places(file, []), build.problems)
    if model is None:
        return None
    variables.check(file, file.data["connections"], ["connections"], build.problems)
    found: dict[str, Connection] = {}
    for name, properties in model.connections.items():
        at = ["connections", name]
        if name.upper() == TARGET:
            message = f"{TARGET} is the target, which DP_TARGET chooses: leave it out here"
            build.problems.append(file.problem(at, message, at_key=True))
            continue
        kind = _type(properties)
        if isinstance(properties, dict) and kind not in CONNECTION_TYPES:
            build.problems.append(_type_problem(file, at, kind))
        if same := found.get(name.lower()):
            message = f"{name!r} and {same.name!r} are the same name to Sling"
            build.problems.append(file.problem(at, message, at_key=True))
        found[name.lower()] = Connection(name, kind or "database", properties)
    return found


def _type_problem(file: YamlFile, at: list[str], kind: str | None) -> Problem:
    if kind is None:
        return file.problem(at, "the key 'type' is missing", at_key=True)
    return file.problem(
        [*at, "type"],
        f"{kind!r} is no connection type of Sling",
        allowed=CONNECTION_TYPES,
        nearest=nearest(kind, CONNECTION_TYPES),
    )


def _type(properties: str | Mapping[str, Any]) -> str | None:
    if isinstance(properties, str):
        scheme, found, _ = properties.partition("://")
        return {"postgresql": "postgres"}.get(scheme, scheme) if found else None
    kind = properties.get("type")
    return str(kind) if kind is not None else None

"""What a target's databases, schemas and tables are called."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from factories.core.warehouse.quoting import sql_identifier
from factories.core.yaml.variables import target

RAW = "RAW"  # the database that everything is loaded into
NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(frozen=True)
class Relation:
    """The name of a table or stage, as the warehouse stores it."""

    database: str
    schema: str
    table: str

    def __str__(self) -> str:
        return f"{self.database}.{self.schema}.{self.table}"

    @property
    def sql(self) -> str:
        """The quoted name for SQL; each part may be a reserved word."""
        return ".".join(map(sql_identifier, (self.database, self.schema, self.table)))


@dataclass(frozen=True)
class WarehouseNames:
    """The names of a target's databases and schemas; known without a connection.

    Attributes:
        target: `local`, `dev`, `prod` or the name of a branch deployment.
        database_suffix: Sets a pull request's databases apart.
        schema_suffix: Sets a person's schemas apart in `dev`.
    """

    target: str
    database_suffix: str = ""
    schema_suffix: str = ""

    def database(self, name: str) -> str:
        """Return the database for a logical one such as `RAW`."""
        return f"{name.upper()}{self.database_suffix}"

    def schema(self, name: str) -> str:
        """Return the schema for a logical one such as `flight_ops`."""
        return f"{name}{self.schema_suffix}"

    def relation(self, database: str, schema: str, table: str) -> Relation:
        """Return the table for logical names; Snowflake stores unquoted ones in upper case."""
        return Relation(self.database(database), self.schema(schema).upper(), table.upper())


def warehouse_names(environ: Mapping[str, str] = os.environ) -> WarehouseNames:
    """Return the names for this process's target.

    In `dev` each person has schemas of their own (`DP_SCHEMA_SUFFIX`, by default the login name);
    a branch deployment has databases of its own (`DP_DATABASE_SUFFIX`, by default the target's
    name); `local` and `prod` use the plain names.
    """
    name = target(environ)
    if name in {"local", "prod"}:
        return WarehouseNames(name)
    if name == "dev":
        person = environ.get("DP_SCHEMA_SUFFIX") or getpass.getuser()
        return WarehouseNames(name, schema_suffix=_suffix(person))
    return WarehouseNames(name, database_suffix=_suffix(environ.get("DP_DATABASE_SUFFIX") or name))


def describe_target(environ: Mapping[str, str] = os.environ) -> str:
    """Return the target of this process, and what its names end with, for people to read."""
    names = warehouse_names(environ)
    ends = {"databases": names.database_suffix, "schemas": names.schema_suffix}
    said = [f", whose {kind} end with {suffix}" for kind, suffix in ends.items() if suffix]
    return names.target + "".join(said)


def _suffix(text: str) -> str:
    return f"__{NOT_IN_A_NAME.sub('_', text).upper()}"

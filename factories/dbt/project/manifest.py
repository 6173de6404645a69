"""What the factory needs of dbt's manifest; `manifest_file` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Node:
    """A model, seed or snapshot.

    Attributes:
        unique_id: dbt's, such as `model.shop.orders`.
        kind: `model`, `seed` or `snapshot`.
        name: Its name; of a versioned model also the version, `orders_v2`.
        package: The installed package that it belongs to; None for the project's own.
        folder: Where its package lies, relative to the dbt project; empty for the project's own.
        fqn: dbt's path to it.
        path: Its file, relative to its project or package.
        entry: Its name, and its version, in the properties file.
        patch_path: The properties file that describes it, relative to its project or package.
        meta: `config.meta` as dbt merged it.
        description: Markdown.
        columns: Each column's description, by name.
        contract: What dbt enforces of the columns, by name: type and constraints; None without
            a contract.
        depends_on: Unique ids of the nodes and sources that it reads, through ephemeral models.
        tags: dbt's tags.
        group: The name of its dbt group.
        materialized: `table`, `view`, `incremental`, …
        strategy: How an incremental model takes new rows; None for the adapter's own, `merge`.
        replaces_rows: Whether it has a `unique_key`, or a hook that runs before it: without, new
            rows are added to those that are there.
        has_hooks: Whether statements run before or after it.
        code_version: Changes when what it computes does: its SQL, its configuration, and the
            ephemeral models and macros that it uses.
        relation: Database, schema and name of what it builds, as Snowflake stores them; None for
            what builds nothing.
    """

    unique_id: str
    kind: str
    name: str
    package: str | None
    folder: str
    fqn: tuple[str, ...]
    path: str
    entry: tuple[str, str | None]
    patch_path: str | None
    meta: Mapping[str, Any]
    description: str
    columns: Mapping[str, str]
    contract: Mapping[str, tuple[str | None, tuple[str, ...]]] | None
    depends_on: tuple[str, ...]
    tags: tuple[str, ...]
    group: str | None
    materialized: str
    strategy: str | None
    replaces_rows: bool
    has_hooks: bool
    code_version: str
    relation: tuple[str, str, str] | None

    @property
    def file(self) -> str:
        """Its file, relative to the dbt project."""
        return f"{self.folder}{self.path}"


@dataclass(frozen=True)
class Source:
    """A table that dbt reads and does not build.

    Attributes:
        unique_id: dbt's, such as `source.shop.flight_ops.flights`.
        system: The name of the source.
        table: The name of the table in it.
        package: The installed package that declares it; None for the project itself.
        folder: Where its package lies, as a node's.
        fqn: dbt's path to it.
        path: The properties file that describes it, relative to its project or package.
        meta: `config.meta` as dbt merged it.
        description: Markdown.
        relation: Database, schema and name of the table, as Snowflake stores them.
        freshness: What dbt expects, such as `{"warn_after": {"count": 1, "period": "day"}}`;
            empty where it expects nothing.
    """

    unique_id: str
    system: str
    table: str
    package: str | None
    folder: str
    fqn: tuple[str, ...]
    path: str
    meta: Mapping[str, Any]
    description: str
    relation: tuple[str, str, str]
    freshness: Mapping[str, Any]

    @property
    def file(self) -> str:
        """The properties file that describes it, relative to the dbt project."""
        return f"{self.folder}{self.path}"

    @property
    def selector(self) -> str:
        """How dbt's `--select` names this source and no other."""
        return f"source:{'.'.join(self.unique_id.split('.')[1:])}"


@dataclass(frozen=True)
class Test:
    """A data test or unit test.

    Attributes:
        unique_id: dbt's.
        name: Its name.
        path: The file that declares it, relative to its project or package.
        subject: Unique id of the node or source that it is about.
        reads: Unique ids of the nodes and sources that it reads, through ephemeral models.
        severity: `error` or `warn`.
        description: Markdown.
        is_unit: Whether it is a unit test: it needs no data, and runs before its model.
        meta: `config.meta` as dbt merged it.
    """

    __test__ = False  # no test of pytest

    unique_id: str
    name: str
    path: str
    subject: str
    reads: tuple[str, ...]
    severity: str
    description: str
    is_unit: bool
    meta: Mapping[str, Any]


@dataclass(frozen=True)
class Manifest:
    """A dbt project, as dbt parsed it.

    Attributes:
        project: The dbt project's name.
        nodes: What is built, by unique id; also of installed packages.
        sources: What is read, by unique id.
        tests: Every test of these, by unique id.
        owners: The owner of each dbt group, by the group's name.
        paths: dbt's paths to everything by its kind, also to what is disabled or builds nothing.
        project_id: dbt's digest of the project's name.
        adapter: The kind of warehouse, `snowflake`.
    """

    project: str
    nodes: Mapping[str, Node]
    sources: Mapping[str, Source]
    tests: Mapping[str, Test]
    owners: Mapping[str, Mapping[str, Any]]
    paths: Mapping[str, frozenset[tuple[str, ...]]]
    project_id: str = ""
    adapter: str = ""

"""Reading `manifest.json`: its nodes, sources and tests, as the factory needs them."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from factories.dbt.project.code_versions import CodeVersions
from factories.dbt.project.manifest import Manifest, Node, Source, Test
from factories.dbt.project.source_files import packages_path, project_settings

BUILT = ("model", "seed", "snapshot")
TESTS = ("test", "unit_test")
OF_A_SOURCE = re.compile(r"source\('([^']*)', '([^']*)'\)")
# A part of a relation's name: in quotes, or plain.
NAME = re.compile(r'"((?:[^"]|"")*)"|([^".]+)')
Json = Mapping[str, Any]


class ManifestError(Exception):
    """The manifest cannot be read: it is not JSON, or not of a version of dbt that is known."""


def read_content(path: Path) -> Json:
    """Return the content of `manifest.json`.

    Raises:
        FileNotFoundError: When there is none.
        ManifestError: When it is no JSON.
    """
    try:
        content: Json = json.loads(path.read_bytes())
    except ValueError as error:
        raise ManifestError(f"{type(error).__name__}: {error}") from None
    return content


def manifest_of(content: Json, project: Path) -> Manifest:
    """Return what the factory needs of a manifest.

    Args:
        content: The content of `manifest.json`.
        project: The dbt project's folder.

    Raises:
        ManifestError: When it is not a manifest of a version that is known.
    """
    try:
        return _Reader(content, project).manifest()
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{type(error).__name__}: {error}") from None


class _Reader:
    def __init__(self, data: Json, project: Path) -> None:
        self._data = data
        self._project = str(data["metadata"]["project_name"])
        # dbt's own order depends on what it had parsed before.
        self._enabled = {
            unique_id: node
            for unique_id, node in sorted(data["nodes"].items())
            if node["config"].get("enabled", True)
        }
        self._ephemeral = {
            unique_id: node
            for unique_id, node in self._enabled.items()
            if node["resource_type"] == "model" and node["config"]["materialized"] == "ephemeral"
        }
        self._packages = packages_path(project_settings(project))
        self._versions = CodeVersions(data, project)

    def manifest(self) -> Manifest:
        nodes, sources, tests = self._nodes, self._sources, {}
        for unique_id, test in (*self._enabled.items(), *sorted(self._data["unit_tests"].items())):
            if test["resource_type"] in TESTS and (subject := self._subject(test)):
                tests[unique_id] = self._test(test, subject)
        owners = {g["name"]: g.get("owner") or {} for g in self._data["groups"].values()}
        metadata = self._data["metadata"]
        return Manifest(
            self._project,
            nodes,
            sources,
            tests,
            owners,
            self._paths(),
            project_id=str(metadata.get("project_id") or ""),
            adapter=str(metadata.get("adapter_type") or ""),
        )

    @cached_property
    def _nodes(self) -> dict[str, Node]:
        built = {
            unique_id: node
            for unique_id, node in self._enabled.items()
            if node["resource_type"] in BUILT and unique_id not in self._ephemeral
        }
        return {unique_id: self._node(node) for unique_id, node in built.items()}

    @cached_property
    def _sources(self) -> dict[str, Source]:
        sources = sorted(self._data["sources"].items())
        return {uid: self._source(source) for uid, source in sources}

    def _node(self, node: Json) -> Node:
        patch, version = node.get("patch_path"), node.get("version")
        contract = node.get("contract") or {}
        return Node(
            unique_id=node["unique_id"],
            kind=node["resource_type"],
            name=node["name"] if version is None else f"{node['name']}_v{version}",
            package=self._package(node),
            folder=self._folder(node),
            fqn=tuple(node["fqn"]),
            path=node["original_file_path"],
            entry=(node["name"], None if version is None else str(version)),
            patch_path=patch.partition("://")[2] if patch else None,
            meta=node["config"].get("meta") or {},
            description=node["description"],
            columns={c["name"]: c.get("description", "") for c in node["columns"].values()},
            contract=_contract(node["columns"].values()) if contract.get("enforced") else None,
            depends_on=tuple(self._through(node["depends_on"].get("nodes", ()))),
            tags=tuple(node["tags"]),
            group=node["config"].get("group"),
            materialized=node["config"]["materialized"],
            strategy=node["config"].get("incremental_strategy"),
            replaces_rows=bool(node["config"].get("unique_key") or node["config"].get("pre-hook")),
            has_hooks=bool(node["config"].get("pre-hook") or node["config"].get("post-hook")),
            code_version=self._versions.of(node, self._ephemeral),
            relation=stored_names(node["relation_name"]) if node["relation_name"] else None,
        )

    def _source(self, source: Json) -> Source:
        limits = (source.get("freshness") or {}).items()
        return Source(
            unique_id=source["unique_id"],
            system=source["source_name"],
            table=source["name"],
            package=self._package(source),
            folder=self._folder(source),
            fqn=tuple(source["fqn"]),
            path=source["original_file_path"],
            meta=source["config"].get("meta") or {},
            description=source["description"] or source.get("source_description") or "",
            relation=stored_names(source["relation_name"]),
            freshness={
                name: limit
                for name, limit in limits
                if name != "filter" and limit and limit.get("count") is not None
            },
        )

    def _package(self, node: Json) -> str | None:
        name = str(node["package_name"])
        return None if name == self._project else name

    def _folder(self, node: Json) -> str:
        package = self._package(node)
        return f"{self._packages}/{package}/" if package else ""

    def _subject(self, test: Json) -> str | None:
        """Return what a test is about: what it is declared at, else the last that it reads."""
        attached = test.get("attached_node")
        if attached in self._nodes:
            return str(attached)
        if attached in self._ephemeral:
            return self._last(self._through([str(attached)]))
        reads = test["depends_on"]["nodes"]
        if str(test.get("file_key_name") or "").startswith("sources."):
            kwargs = (test.get("test_metadata") or {}).get("kwargs") or {}
            if at := OF_A_SOURCE.search(str(kwargs.get("model"))):
                own = (s for s in reads if s in self._sources)
                for source in own:
                    if (self._sources[source].system, self._sources[source].table) == at.groups():
                        return str(source)
        return self._last(self._through(reads))

    def _test(self, test: Json, subject: str) -> Test:
        return Test(
            unique_id=test["unique_id"],
            name=test["name"],
            path=test["original_file_path"],
            subject=subject,
            reads=tuple(self._through(test["depends_on"]["nodes"])),
            severity=str(test["config"].get("severity") or "error").lower(),
            description=test.get("description") or "",
            is_unit=test["resource_type"] == "unit_test",
            meta=test["config"].get("meta") or {},
        )

    def _through(self, reads: Iterable[str]) -> Iterator[str]:
        """Yield what is read, once each, through ephemeral models, which build nothing."""
        seen: set[str] = set()
        left = list(reads)
        while left:
            if (dep := left.pop(0)) in seen:
                continue
            seen.add(dep)
            if dep in self._ephemeral:
                left += self._ephemeral[dep]["depends_on"]["nodes"]
            else:
                yield dep

    def _last(self, reads: Iterable[str]) -> str | None:
        """Return the most downstream of what a test reads."""
        known = [dep for dep in reads if dep in self._nodes or dep in self._sources]
        if len(known) < 2:  # noqa: PLR2004 - nothing to compare
            return known[0] if known else None
        return max(known, key=lambda dep: self._depth.get(dep, 0))

    @cached_property
    def _depth(self) -> dict[str, int]:
        """The longest way from a source to each node."""
        graph = {uid: node.depends_on for uid, node in self._nodes.items()}
        depth: dict[str, int] = {}
        with suppress(CycleError):  # it is reported as a fault of the manifest
            for uid in TopologicalSorter(graph).static_order():
                depth[uid] = 1 + max((depth[dep] for dep in graph.get(uid, ())), default=-1)
        return depth

    def _paths(self) -> dict[str, frozenset[tuple[str, ...]]]:
        paths: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
        disabled = (node for nodes in self._data["disabled"].values() for node in nodes)
        for node in (*self._data["nodes"].values(), *self._data["sources"].values(), *disabled):
            paths[node["resource_type"]].add(tuple(node["fqn"]))
        return {kind: frozenset(found) for kind, found in paths.items()}


def stored_names(relation: str) -> tuple[str, str, str]:
    """Return database, schema and name as Snowflake stores what dbt's SQL calls a relation.

    dbt has applied its rules for names and quotes: a name in quotes stays as it is.
    """
    database, schema, name = (
        found[2].upper() if found[1] is None else found[1].replace('""', '"')
        for found in NAME.finditer(relation)
    )
    return database, schema, name


def _contract(columns: Iterable[Json]) -> dict[str, tuple[str | None, tuple[str, ...]]]:
    return {
        column["name"]: (
            column.get("data_type"),
            tuple(_constraint(constraint) for constraint in column.get("constraints") or ()),
        )
        for column in columns
    }


def _constraint(constraint: Json) -> str:
    return " ".join(str(constraint[k]) for k in ("type", "expression") if constraint.get(k))

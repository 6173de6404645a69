"""The code version of a node: it changes when what the node computes does, and only then."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from factories.dbt.project.source_files import packages_path, project_settings

# What describes a node and changes nothing that it computes.
NOT_COMPUTED = ("access", "docs", "group", "tags")
KEY = "dagster"
Json = Mapping[str, Any]


class CodeVersions:
    """The code versions of a manifest's nodes.

    dbt's own checksum knows the node's file alone. A changed macro changes every node that uses
    it, so does an ephemeral model. Macros of dbt and of the adapter do not count: they change with
    dbt's version, and then everything would.
    """

    def __init__(self, manifest: Json, project: Path) -> None:
        """Take the manifest and the dbt project's folder."""
        metadata = manifest["metadata"]
        self._project, self._name = project, metadata["project_name"]
        self._adapter = metadata["adapter_type"]
        self._macros: dict[str, tuple[str, list[str]]] = {}
        self._by_name: dict[str, str] = {}
        for unique_id, macro in manifest["macros"].items():
            if macro["package_name"] not in {"dbt", f"dbt_{self._adapter}"}:
                uses = macro["depends_on"]["macros"]
                self._macros[unique_id] = (_digest(macro["macro_sql"]), uses)
                self._by_name[macro["name"]] = unique_id

    def of(self, node: Json, ephemeral: Mapping[str, Json]) -> str:
        """Return the code version of a node: 16 hexadecimal digits.

        Args:
            node: The node.
            ephemeral: Every ephemeral model, by unique id.
        """
        parts = list(_with_ephemeral(node, ephemeral))
        macros = self._find_used(
            macro
            for part in parts
            for macro in (*part["depends_on"]["macros"], *self._find_materializations(part))
        )
        text = json.dumps(
            [
                [self._checksum(part) for part in parts],
                _config(node["unrendered_config"]),
                (node.get("contract") or {}).get("checksum"),
                sorted((name, self._macros[name][0]) for name in macros),
            ],
            sort_keys=True,
            default=str,
        )
        return _digest(text)[:16]

    def _checksum(self, node: Json) -> str:
        checksum = node["checksum"]
        if checksum["name"] == "path":  # dbt reads no seed that is larger than 1 MiB
            path = self._folder(node["package_name"]) / node["original_file_path"]
            if path.is_file():
                return hashlib.sha256(path.read_bytes()).hexdigest()
        if node["resource_type"] == "snapshot":  # its checksum is that of all in the file
            return str(node["raw_code"])
        return str(checksum["checksum"])

    def _folder(self, package: str) -> Path:
        if package == self._name:
            return self._project
        return self._project / packages_path(project_settings(self._project)) / package

    def _find_materializations(self, node: Json) -> Iterator[str]:
        """Yield the project's macros that materialize a node; dbt finds them by their names."""
        config = node["config"]
        for name in (
            f"materialization_{config['materialized']}_default",
            f"materialization_{config['materialized']}_{self._adapter}",
            f"get_incremental_{config.get('incremental_strategy')}_sql",
        ):
            if name in self._by_name:
                yield self._by_name[name]

    def _find_used(self, macros: Iterable[str]) -> set[str]:
        used: set[str] = set()
        left = list(macros)
        while left:
            macro = left.pop()
            if macro in self._macros and macro not in used:
                used.add(macro)
                left += self._macros[macro][1]
        return used


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _with_ephemeral(node: Json, ephemeral: Mapping[str, Json]) -> Iterator[Json]:
    seen: set[str] = set()
    left = [node]
    while left:
        part = left.pop(0)
        yield part
        for dep in part["depends_on"].get("nodes", ()):
            if dep in ephemeral and dep not in seen:
                seen.add(dep)
                left.append(ephemeral[dep])


def _config(config: Json) -> dict[str, Any]:
    kept = {key: value for key, value in config.items() if key not in NOT_COMPUTED}
    if isinstance(meta := kept.get("meta"), dict):
        kept["meta"] = {key: value for key, value in meta.items() if key != KEY}
    return {key: value for key, value in kept.items() if value not in ({}, None)}

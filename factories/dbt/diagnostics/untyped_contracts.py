"""Contracts that dbt parses, and refuses when it builds: columns without a data type."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import YamlFile, display_name
from factories.dbt.project.manifest import Manifest, Node
from factories.dbt.project.properties import Place, PropertiesFiles

# The materializations by which dbt compares a model's columns with its contract.
COMPARED = frozenset({"table", "view", "incremental"})


def untyped_contracts(
    folder: Path, root: Path, manifest: Manifest, files: PropertiesFiles
) -> Iterator[Problem]:
    """Yield the columns of enforced contracts without a data type, and contracts without columns.

    Args:
        folder: The dbt project.
        root: The project folder; messages show paths relative to it.
        manifest: What dbt made of it; packages have their own authors.
        files: The project's properties files.
    """
    for node in manifest.nodes.values():
        if node.contract is None or node.package or node.materialized not in COMPARED:
            continue
        found = files.of_node(node)
        if found is not None:
            yield from _of_columns(node, *found)
        elif not node.contract:
            # Where a properties file describes the model, dbt says so when it parses.
            message = f"{node.name}: its contract is enforced, and no YAML names the columns"
            yield Problem(display_name(folder / node.file, root), 1, 1, message)


def _of_columns(node: Node, file: YamlFile, entries: list[Place]) -> Iterator[Problem]:
    for name, (data_type, _) in (node.contract or {}).items():
        if not data_type:
            message = f"{node.name}: {name} has no data_type, which its contract needs"
            yield file.problem(_place(file, entries, name), message)


def _place(file: YamlFile, entries: list[Place], name: str) -> Place:
    """Return where a column is declared: below its version, or else its model."""
    for entry in reversed(entries):
        model = file.data
        for step in entry:
            model = model[step]
        columns = model.get("columns")
        for index, column in enumerate(columns if isinstance(columns, list) else ()):
            if isinstance(column, dict) and column.get("name") == name:
                return (*entry, "columns", index, "name")
    return entries[-1]

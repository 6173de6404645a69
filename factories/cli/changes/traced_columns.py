"""What the SQL of dbt's nodes says of their columns, at two commits, where a change may touch them.

dbt compiles nothing where neither the code of its assets nor a file of its project differs.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from factories.cli.changes.git_changes import FileChange
from factories.cli.changes.lost_columns import Tables
from factories.cli.workspace import (
    CodeLocation,
    LocationProcessError,
    load_workspace,
    run_in_location,
)

PROJECT_FILE = "dbt_project.yml"
# What of a dbt project may say which columns there are.
SUFFIXES = (".csv", ".sql", ".yml", ".yaml")
Graph = Mapping[str, Mapping[str, Any]]


@dataclass
class TouchedProject:
    """What a change touches of a dbt project.

    Attributes:
        tables: The tables of its nodes, before and after, by unique id.
        changed: Unique ids of the nodes, and files of the project.
    """

    tables: tuple[dict[str, str], dict[str, str]] = field(default_factory=lambda: ({}, {}))
    changed: set[str] = field(default_factory=set)


def trace_columns(
    roots: tuple[Path, Path], graphs: tuple[Graph, Graph], changes: Sequence[FileChange]
) -> tuple[Tables, Tables]:
    """Return the columns of the nodes that a change may touch, before and after, by table.

    Args:
        roots: The project folder at the base, and the one of this checkout, whose code reads both.
        graphs: What each defines, by code location.
        changes: The files that differ.
    """
    touched = find_touched_projects(roots, graphs, changes)
    locations = {location.name: location for location in load_workspace(roots[1])}
    found: tuple[dict[str, Mapping[str, Any]], dict[str, Mapping[str, Any]]] = ({}, {})
    with ThreadPoolExecutor(max_workers=2) as pool:
        started = [
            (build, pool.submit(_run, roots, build, locations[name], folder, project))
            for (name, folder), project in touched.items()
            for build in (0, 1)
            if name in locations and (roots[build] / folder / PROJECT_FILE).is_file()
        ]
        for build, tables in started:
            found[build].update(tables.result())
    return found


def find_touched_projects(
    roots: tuple[Path, Path], graphs: tuple[Graph, Graph], changes: Sequence[FileChange]
) -> dict[tuple[str, str], TouchedProject]:
    """Return the dbt projects that a change touches, by code location and folder."""
    assets = tuple(
        {key: facts for found in graph.values() for key, facts in found.get("assets", {}).items()}
        for graph in graphs
    )
    losing = {key for key in assets[1] if _loses_declared(key, *assets)}
    projects: defaultdict[tuple[str, str], TouchedProject] = defaultdict(TouchedProject)
    broken = {name for graph in graphs for name, found in graph.items() if found["error"]}
    for build, (root, graph) in enumerate(zip(roots, graphs, strict=True)):
        for name in graph.keys() - broken:
            for key, facts in graph[name]["assets"].items():
                folder = _project_folder(root, facts) if facts["node"] else None
                if folder is None:
                    continue
                project = projects[name, folder]
                project.tables[build][facts["node"]] = facts["table"]
                other = assets[1 - build].get(key)
                if (
                    other is None
                    or other["code"] != facts["code"]
                    or losing.intersection(facts["reads"])
                ):
                    project.changed.add(facts["node"])
    for (_, folder), project in projects.items():
        project.changed.update(_files_below(folder, changes))
    return {place: project for place, project in projects.items() if project.changed}


def _loses_declared(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    if key not in old or new[key]["node"]:
        return False
    return not set(old[key]["columns"]) <= set(new[key]["columns"])


def _project_folder(root: Path, facts: Mapping[str, Any]) -> str | None:
    """Return the folder of the dbt project that an asset is of, maybe by an installed package."""
    file = Path(facts["file"] or "")
    if not file.is_relative_to(root):
        return None
    parents = [*file.relative_to(root).parents][::-1]
    folder = next((one for one in parents if (root / one / PROJECT_FILE).is_file()), None)
    return None if folder is None else folder.as_posix()


def _files_below(folder: str, changes: Sequence[FileChange]) -> Iterator[str]:
    for change in changes:
        path = PurePosixPath(change.file)
        if path.is_relative_to(folder) and path.suffix in SUFFIXES:
            yield path.relative_to(folder).as_posix()


def _run(
    roots: tuple[Path, Path],
    build: int,
    location: CodeLocation,
    folder: str,
    project: TouchedProject,
) -> Tables:
    """Have dbt compile a project; what hinders it is why their columns are unknown."""
    arguments = ["-m", "factories.dbt.compiled_columns", str(roots[build] / folder)]
    environment = {"DP_PROJECT_DIR": str(roots[build])}
    try:
        text = run_in_location(
            roots[1], location, [*arguments, *sorted(project.changed)], environment
        )
    except LocationProcessError as error:
        why = f"dbt cannot compile their project: {str(error).splitlines()[-1]}"
        tables = project.tables[build]
        nodes = project.changed.intersection(tables) or tables
        return {
            tables[node]: {
                "name": node, "columns": None, "why": why, "lacking": [], "when_lost": "gone"
            }
            for node in nodes
        }  # fmt: skip
    found: Tables = json.loads(text)
    return found

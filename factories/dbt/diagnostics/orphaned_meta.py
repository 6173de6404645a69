"""`meta.dagster` blocks that belong to no node: a misspelt name, or one that is disabled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from factories.core.assets.blocks import KEY
from factories.core.yaml.problems import Problem, nearest
from factories.dbt.project.blocks import DbtBlocks
from factories.dbt.project.manifest import Manifest
from factories.dbt.project.properties import SECTIONS, PropertiesFiles

Paths = frozenset[tuple[str, ...]]


def orphaned_meta(
    manifest: Manifest, files: PropertiesFiles, blocks: DbtBlocks
) -> Iterator[Problem]:
    """Check the blocks that no node has, and yield the names that nothing has.

    dbt only warns of a properties file's entry, or of a path in `dbt_project.yml`, that fits
    nothing; here Dagster would not learn what the block says.
    """
    sections = {section: kind for kind, section in SECTIONS.items()} | {"sources": "source"}
    paths = {section: manifest.paths.get(kind, frozenset()) for section, kind in sections.items()}
    yield from _entries(manifest, files, blocks, paths)
    if (file := files.project_file) is not None:
        for section, kind in sections.items():
            for path in _block_paths(file.data.get(section), (section,)):
                if _is_used(path[1:], paths[section]):
                    continue
                blocks.check_project_file(path)
                if meant := _find_nearest(path[1:], paths[section]):
                    message = (
                        f"{path[-1]!r} is not a folder or {kind}: nothing reads its {KEY} block"
                    )
                    yield file.problem(path, message, nearest=meant, at_key=True)


def _entries(
    manifest: Manifest, files: PropertiesFiles, blocks: DbtBlocks, paths: Mapping[str, Paths]
) -> Iterator[Problem]:
    read = {(SECTIONS[node.kind], node.entry[0]) for node in manifest.nodes.values()}
    known = {
        section: {step for path in found for step in path[-2:]} for section, found in paths.items()
    }
    for file, section, names, at in files.entries():
        if section == "sources" or (section, names[0]) in read:
            continue
        name = str(names[0])
        if blocks.check_entry(file, at) and name not in known[section]:
            message = f"there is no {section[:-1]} {name!r}: nothing reads its {KEY} block"
            meant = nearest(name, known[section])
            yield file.problem((*at, "name"), message, nearest=meant)


def _block_paths(value: Any, at: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the paths of `dbt_project.yml` that have a `meta`."""
    if not isinstance(value, dict):
        return
    if "meta" in value or "+meta" in value:
        yield at
    for key, child in value.items():
        if not key.startswith("+") and key != "meta":
            yield from _block_paths(child, (*at, key))


def _is_used(path: tuple[str, ...], paths: Paths) -> bool:
    return any(path == other[: len(path)] for other in paths)


def _find_nearest(path: tuple[str, ...], paths: Paths) -> str | None:
    """Return the folder or name beside which the last step of a path looks like a mistake."""
    beside = {
        other[len(path) - 1]
        for other in paths
        if len(other) >= len(path) and other[: len(path) - 1] == path[:-1]
    }
    return nearest(path[-1], beside)

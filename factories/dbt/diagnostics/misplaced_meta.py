"""`dagster` blocks where nothing reads them: beside `meta`, or of what is not an asset."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from factories.core.assets.blocks import KEY
from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import YamlFile, display_name
from factories.dbt.project.config_calls import config_call
from factories.dbt.project.manifest import Manifest
from factories.dbt.project.properties import SECTIONS, Place, PropertiesFiles

READ = (*SECTIONS.values(), "sources")
# What `dbt_project.yml` also configures, and that Dagster does not read.
OTHERS = ("data_tests", "tests", "unit_tests", "exposures", "metrics", "semantic-models")
NOTHING_READS_IT = (
    f"nothing reads a {KEY} block here: it belongs to a model, seed, snapshot or source"
)
BELOW_META = f"{KEY}: belongs below meta, here nothing reads it"


def misplaced_meta(
    project: Path, root: Path, manifest: Manifest, files: PropertiesFiles
) -> Iterator[Problem]:
    """Yield the blocks of a dbt project that nothing reads, and that dbt takes without a word.

    Args:
        project: The dbt project's folder.
        root: The project folder; messages show paths relative to it.
        manifest: The dbt project.
        files: Its YAML files.
    """
    for name, file in files.files():
        if KEY in file.text:
            entries = set(files.places(name).values())
            for place in _blocks(file.data):
                yield from _of_properties(file, place, entries)
    if (top := files.project_file) is not None:
        for section in (*READ, *OTHERS):
            for place in _blocks(top.data.get(section), (section,)):
                yield from _of_project_file(top, place, manifest)
    for test in manifest.tests.values():
        path = project / test.path
        if KEY in test.meta and path.suffix == ".sql":
            call = config_call(path, test.name)
            if call is not None and call.has(KEY):
                line, column = call.place([KEY])
                yield Problem(display_name(path, root), line, column, NOTHING_READS_IT)


def _blocks(value: Any, at: Place = ()) -> Iterator[Place]:
    """Yield the places of mappings that are named as a block is."""
    if isinstance(value, dict):
        for key, child in value.items():
            if key in {KEY, f"+{KEY}"} and isinstance(child, dict):
                yield (*at, key)
            else:
                yield from _blocks(child, (*at, key))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _blocks(child, (*at, number))


def _of_properties(file: YamlFile, place: Place, entries: set[Place]) -> Iterator[Problem]:
    *owner, last = place[:-1] or ("",)
    in_meta = last == "meta"
    entry = tuple(owner) if in_meta or last == "config" else place[:-1]
    if in_meta and entry[-1:] == ("config",):
        entry = entry[:-1]
    if entry not in entries:
        yield file.problem(place, NOTHING_READS_IT, at_key=True)
    elif not in_meta:
        yield file.problem(place, BELOW_META, at_key=True)


def _of_project_file(file: YamlFile, place: Place, manifest: Manifest) -> Iterator[Problem]:
    section, *_, key = place
    in_meta = place[-2] in {"meta", "+meta"}
    if section in OTHERS:
        yield file.problem(place, NOTHING_READS_IT, at_key=True)
    elif not in_meta and (key != KEY or _is_block(file.data, place, manifest)):
        yield file.problem(place, f"{key}: belongs below +meta, here nothing reads it", at_key=True)


def _is_block(data: Any, place: Place, manifest: Manifest) -> bool:
    """Tell whether a mapping of `dbt_project.yml` is a block, and no folder of this name."""
    path = place[1:]
    if any(fqn[: len(path)] == path for found in manifest.paths.values() for fqn in found):
        return False
    for step in place:
        data = data[step]
    return any(key in DagsterMeta.model_fields for key in data)

"""What dbt only warns of while it parses, and leaves out: a misspelt key, an entry of no model.

Each would make other data than was asked for, or no test where one was written. What dbt warns of
besides is harmless; a run tells it.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import YamlFile, display_name
from factories.dbt.diagnostics.find_word import find_word
from factories.dbt.prepare import ParseWarning
from factories.dbt.project.manifest import Manifest
from factories.dbt.project.properties import Place, PropertiesFiles
from factories.dbt.project.source_files import PROJECT_FILE, packages_path

# Of the adapter for Snowflake and of dbt's tests, which dbt's own schema lacks.
OTHER_CONFIGS = (
    "access", "automatic_clustering", "cluster_by", "concurrent_batches", "delimiter", "error_if",
    "fail_calc", "freshness", "full_refresh", "hard_deletes", "incremental_predicates",
    "invalidate_hard_deletes", "limit", "loaded_at_field", "loaded_at_query",
    "merge_exclude_columns", "merge_update_columns", "query_tag", "secure", "severity",
    "store_failures", "store_failures_as", "tmp_relation_type", "transient", "warn_if", "where",
)  # fmt: skip
# What dbt 1.11 takes beside `config` as well as below it; any other config it leaves out there.
BESIDE_CONFIG = {
    "models": frozenset({"access", "contract", "docs", "group", "meta"}),
    "sources": frozenset({"freshness", "loaded_at_field", "loaded_at_query", "meta", "tags"}),
}
NODE = re.compile(r"(models|seeds|snapshots)\[\d+\]|(sources)\[\d+\](?:\.tables\[\d+\])?")
NO_NODE = "NoNodeForYamlKey"
STEP = re.compile(r"[^.\[\]]+")
ALIKE = 0.8  # stricter than for a value: a key of the project's own macros is allowed
MARKS = re.compile(r"^(\[WARNING\](\[\w+\])?: *)(Deprecated functionality)?\s*")


def ignored_settings(
    warnings: Collection[ParseWarning],
    folder: Path,
    root: Path,
    manifest: Manifest,
    files: PropertiesFiles,
) -> Iterator[Problem]:
    """Yield what dbt leaves out of a project, each at its place.

    Args:
        warnings: dbt's.
        folder: The dbt project.
        root: The project folder; messages show paths relative to it.
        manifest: The project, as dbt parsed it.
        files: Its YAML files.
    """
    entries = {str(w.data.get("patch_name")) for w in warnings if w.name == NO_NODE}
    project = _Project(folder, root, manifest, files, frozenset(entries))
    for warning in warnings:
        if find := FINDERS.get(warning.name):
            yield from find(project, warning.data)


def harmless_warnings(warnings: Collection[ParseWarning]) -> list[str]:
    """Return the warnings for the log of a run: of each kind of deprecation the first."""
    first: dict[str, str] = {}
    for warning in warnings:
        text = " ".join(MARKS.sub("", warning.text).split())
        is_deprecation = warning.name.endswith("Deprecation")
        first.setdefault(warning.name if is_deprecation else text, text)
    return [f"dbt parse: {text}" for text in first.values()]


@dataclass(frozen=True)
class _Project:
    folder: Path
    root: Path
    manifest: Manifest
    files: PropertiesFiles
    entries_of_none: frozenset[str]  # the names of what is described and is not there

    def is_own(self, name: str) -> bool:
        """Tell whether a file is the project's own: packages have their own authors."""
        settings = self.files.project_file.data if self.files.project_file else {}
        path = self.folder / name
        return path.is_file() and not name.startswith(f"{packages_path(settings)}/")

    def yaml(self, name: str) -> YamlFile | None:
        return self.files.read(name) if name.endswith((".yml", ".yaml")) else None

    def at_word(self, name: str, word: str, message: str, near: str | None = None) -> Problem:
        """Return a problem at the first time that a file says a word."""
        path = self.folder / name
        line, column = find_word(path, word) or (1, 1)
        return Problem(display_name(path, self.root), line, column, message, nearest=near)


@cache
def _schema() -> Mapping[str, Any]:
    """Return the schema of properties files in dbt's own package."""
    spec = find_spec("dbt")
    folders = [Path(name) for name in (spec.submodule_search_locations if spec else None) or ()]
    schemas = [path for folder in folders for path in folder.glob("jsonschemas/resources/*.json")]
    newest: Mapping[str, Any] = json.loads(max(schemas).read_bytes()) if schemas else {}
    return newest


@cache
def _config_keys() -> frozenset[str]:
    return _defined_keys("onfig") | frozenset(OTHER_CONFIGS)


@cache
def _object_keys() -> frozenset[str]:
    return _defined_keys("")


def _defined_keys(within: str) -> frozenset[str]:
    """Return the keys of the schema's definitions whose names have a text within."""
    definitions = _schema().get("definitions", {}).items()
    found = (v.get("properties", ()) for k, v in definitions if within in k and isinstance(v, dict))
    return frozenset(key for keys in found for key in keys)


def _find_like(word: str, known: Collection[str]) -> str | None:
    """Return the known word that this one looks like a mistake of; None when it is known."""
    if word in known:
        return None
    found = difflib.get_close_matches(word, known, n=1, cutoff=ALIKE)
    return found[0] if found else None


def _find_config_key(project: _Project, data: Mapping[str, Any]) -> Iterator[Problem]:
    name, key = str(data.get("file", "")), str(data["key"])
    plus = "+" if key.startswith("+") else ""
    near = _find_like(key.removeprefix("+"), _config_keys())
    if near is None or not project.is_own(name):
        return
    message = f"{key!r} is no config that dbt knows, so nothing reads it"
    near = f"{plus}{near}"
    if (file := project.yaml(name)) is None:
        yield project.at_word(name, key, message, near)
        return
    # dbt leaves the section of `dbt_project.yml` out of the path, and `+` out of some keys.
    steps = _steps(str(data["key_path"]))
    steps = steps[:-1] if steps and steps[-1] == key else steps
    starts: list[Place] = [()]
    if name == PROJECT_FILE:
        starts = [(section,) for section in file.data]
    for start in starts:
        place = (*start, *steps, key)
        if _is_there(file.data, place):
            yield file.problem(place, message, nearest=near, at_key=True)
            return
    yield project.at_word(name, key, message, near)


def _find_moved_key(project: _Project, data: Mapping[str, Any]) -> Iterator[Problem]:
    """Find the configs that stand beside `config`, where dbt reads only some of them."""
    key = str(data["key"])
    node = NODE.fullmatch(str(data["key_path"]))
    if node and key not in BESIDE_CONFIG["sources" if node[2] else "models"]:
        yield from _at_key(project, data, f"{key}: belongs below config, here nothing reads it")


def _find_object_key(project: _Project, data: Mapping[str, Any]) -> Iterator[Problem]:
    key = str(data["key"])
    if key in _config_keys():
        yield from _at_key(project, data, f"{key}: belongs below config, here nothing reads it")
    elif near := _find_like(key, _object_keys() | _config_keys()):
        yield from _at_key(project, data, f"unknown key {key!r}", near)


def _at_key(
    project: _Project, data: Mapping[str, Any], message: str, near: str | None = None
) -> Iterator[Problem]:
    """Yield a problem at the key of an event."""
    name, key = str(data.get("file", "")), str(data["key"])
    if not project.is_own(name):
        return
    place = (*_steps(str(data["key_path"])), key)
    if (file := project.yaml(name)) is not None and _is_there(file.data, place):
        yield file.problem(place, message, nearest=near, at_key=True)
    else:
        yield project.at_word(name, key, message, near)


def _find_section(project: _Project, data: Mapping[str, Any]) -> Iterator[Problem]:
    name, key = str(data.get("file", "")), str(data.get("msg", "")).rpartition(" ")[2]
    near = _find_like(key, _schema().get("properties", ()))
    if near and project.is_own(name):
        yield project.at_word(name, key, f"unknown key {key!r}", near)


def _find_entry(project: _Project, data: Mapping[str, Any]) -> Iterator[Problem]:
    name, entry, section = (str(data.get(k, "")) for k in ("file_path", "patch_name", "yaml_key"))
    if not project.is_own(name):
        return
    kind = str(data["resource_type"]) if "resource_type" in data else ""
    kinds = section.removesuffix("s")
    if kind:
        message = f"{entry} is a {kind}: among the {section} nothing reads its entry"
        near = None
    else:
        message = f"there is no {kinds} {entry!r}: dbt leaves its entry out, and its tests"
        near = _find_like(entry, _names(project.manifest, kinds))
    file = project.yaml(name)
    at = project.files.places(name).get((section, entry)) if file else None
    if file is not None and at is not None:
        yield file.problem((*at, "name"), message, nearest=near)
    else:
        yield project.at_word(name, entry, message, near)


def _find_unread_path(project: _Project, data: Mapping[str, Any]) -> Iterator[Problem]:
    """Find the paths of `dbt_project.yml` that look like a folder's or model's name.

    Any other may be of a folder that has no model yet.
    """
    file = project.files.project_file
    for text in data.get("unused_config_paths", ()) if file else ():
        place = tuple(str(text).split("."))
        section, path = place[0], place[1:]
        known = project.manifest.paths.get(section.removesuffix("s"), frozenset())
        for length in range(1, len(path) + 1):
            if any(path[:length] == other[:length] for other in known):
                continue
            before, word = path[: length - 1], path[length - 1]
            beside = {
                o[length - 1] for o in known if len(o) >= length and o[: length - 1] == before
            }
            at = (section, *path[:length])
            near = _find_like(word, beside)
            if near and file is not None and _is_there(file.data, at):
                kind = section.removesuffix("s")
                message = f"{word!r} is not a folder or {kind}: nothing reads its configs"
                yield file.problem(at, message, nearest=near, at_key=True)
            break


def _find_test(project: _Project, data: Mapping[str, Any]) -> Iterator[Problem]:
    """Find the tests that dbt drops: they read what is not there."""
    name, target = str(data.get("original_file_path", "")), str(data.get("target_name", ""))
    # A model that is disabled takes its tests with it, which whoever disabled it wants.
    # The tests of an entry of no model are reported with it.
    if str(data.get("disabled")) == "True" or target in project.entries_of_none:
        return
    if not project.is_own(name):
        return
    kind = str(data.get("target_kind"))
    kind = "source" if kind == "source" else "model, seed or snapshot"
    message = f"there is no {kind} {target!r}: dbt leaves out the test that reads it"
    near = _find_like(target, _names(project.manifest))
    yield project.at_word(name, target.rpartition(".")[2], message, near)


def _find_microbatch(project: _Project, data: Mapping[str, Any]) -> Iterator[Problem]:
    name = str(data.get("model_name", ""))
    for node in project.manifest.nodes.values():
        if node.name == name and node.package is None:
            message = (
                f"{name}: it reads nothing that has an event_time, so each of its batches would"
                " hold all rows"
            )
            yield project.at_word(node.path, "microbatch", message)


def _names(manifest: Manifest, kind: str | None = None) -> set[str]:
    return {node.entry[0] for node in manifest.nodes.values() if kind in {None, node.kind}}


def _steps(path: str) -> Place:
    """Return the steps of a path such as `models[1].columns[0]`."""
    return tuple(int(step) if step.isdigit() else step for step in STEP.findall(path))


def _is_there(data: Any, place: Place) -> bool:
    try:
        for step in place:
            data = data[step]
    except (KeyError, IndexError, TypeError):
        return False
    return True


FINDERS: dict[str, Callable[[_Project, Mapping[str, Any]], Iterator[Problem]]] = {
    "CustomKeyInConfigDeprecation": _find_config_key,
    "CustomKeyInObjectDeprecation": _find_object_key,
    "CustomTopLevelKeyDeprecation": _find_section,
    "MicrobatchModelNoEventTimeInputs": _find_microbatch,
    NO_NODE: _find_entry,
    "NodeNotFoundOrDisabled": _find_test,
    "PropertyMovedToConfigDeprecation": _find_moved_key,
    "UnusedResourceConfigPath": _find_unread_path,
    "WrongResourceSchemaFile": _find_entry,
}

"""dbt's errors that name no place, or no more than a file: here the place is found."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from factories.core.assets.context import LoadContext
from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import YamlFile, display_name
from factories.dbt.diagnostics.find_word import find_word
from factories.dbt.project.properties import Place, PropertiesFiles
from factories.dbt.project.source_files import FOLDERS, source_folders

PROFILES = "profiles.yml"
PERIODS = ("minute", "hour", "day")
SNAPSHOT_KEYS = ("strategy", "unique_key")
SEVERITIES = ("warn", "error")
# What `dbt_project.yml` may say at the top, in the words of dbt 1.11.
PROJECT_KEYS = (
    "name", "version", "config-version", "profile", "require-dbt-version", "restrict-access",
    "vars", "flags", "models", "seeds", "snapshots", "sources", "tests", "data_tests",
    "unit_tests", "exposures", "metrics", "semantic-models", "saved-queries", "functions",
    "on-run-start", "on-run-end", "dispatch", "packages", "packages-install-path", "query-comment",
    "quoting", "docs-paths", "asset-paths", "target-path", "log-path", "clean-targets", *FOLDERS,
)  # fmt: skip
SOURCE = 2  # the section and a source's name; what is longer names a table too
Find = Callable[["_Project", re.Match[str]], Iterator[Problem]]


def known_problems(project: Path, text: str, load_context: LoadContext) -> list[Problem]:
    """Return the problems of an error that is known; empty for any other.

    Args:
        project: The dbt project's folder.
        text: What dbt wrote, on one line.
        load_context: Knows the project folder.
    """
    for pattern, find in KNOWN:
        if match := re.search(pattern, text):
            return list(find(_Project(project, load_context), match))
    return []


class _Project:
    """The files of a dbt project that dbt has refused."""

    def __init__(self, folder: Path, load_context: LoadContext) -> None:
        self.folder, self.root = folder, load_context.root
        # Other problems of these files are reported once dbt accepts them.
        self._files = PropertiesFiles(
            folder, LoadContext(load_context.root, load_context.names, load_context.conditions)
        )

    @property
    def settings(self) -> YamlFile | None:
        """`dbt_project.yml`."""
        return self._files.project_file

    def yaml(self, name: str) -> YamlFile | None:
        """Return a YAML file of the project."""
        return self._files.read(name) if (self.folder / name).is_file() else None

    def properties(self) -> Iterator[YamlFile]:
        """Yield `dbt_project.yml`, then the files that describe models and sources."""
        if self.settings:
            yield self.settings
        yield from (file for _, file in self._files.files())

    def values(self, keys: Collection[str]) -> Iterator[tuple[YamlFile, Place, Any]]:
        """Yield the values that stand at a key of these names, and their places."""
        for file in self.properties():
            for place, value in _values(file.data, keys):
                yield file, place, value

    def names(self) -> list[str]:
        """Return the names of models, seeds and snapshots, as their files say."""
        settings = self.settings.data if self.settings else {}
        paths = (Path(name) for _, files in source_folders(self.folder, settings) for name in files)
        return sorted({path.stem for path in paths if path.suffix in {".sql", ".csv", ".py"}})

    def source_names(self) -> list[str]:
        """Return the names of the tables of sources, `flight_ops.flights`."""
        places = (self._files.places(name) for name, _ in self._files.files())
        keys = (key for found in places for key in found if key[0] == "sources")
        return sorted(f"{key[1]}.{key[2]}" for key in keys if len(key) > SOURCE)

    def at_word(self, name: str, word: str, message: str, **details: Any) -> Problem:
        """Return a problem at the first time that a file says a word."""
        path = self.folder / name
        line, column = find_word(path, word) or (0, 0)
        return Problem(display_name(path, self.root), line, column, message, **details)


def _values(data: Any, keys: Collection[str], at: Place = ()) -> Iterator[tuple[Place, Any]]:
    items = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data if isinstance(data, list) else ())
    )
    for step, value in items:
        if step in keys:
            yield (*at, step), value
        yield from _values(value, keys, (*at, step))


def _wrong_choice(key: str, choices: Collection[str]) -> Find:
    """Find each value of a key that is none of its choices."""

    def find(project: _Project, _: re.Match[str]) -> Iterator[Problem]:
        for file, place, value in project.values([key, f"+{key}"]):
            if isinstance(value, str) and "{{" not in value and value.lower() not in choices:
                message = f"{key}: {value!r} is not one of the allowed values"
                meant = nearest(value, choices)
                yield file.problem(place, message, allowed=tuple(choices), nearest=meant)

    return find


def _wrong_type(project: _Project, match: re.Match[str]) -> Iterator[Problem]:
    key, given, wrong = match["key"], match["value"], match["wrong"]
    for file, place, value in project.values([key, f"+{key}"]):
        if repr(value) == given:
            yield file.problem(place, f"{key}: {given} {wrong}")


def _snapshots(project: _Project, _: re.Match[str]) -> Iterator[Problem]:
    for file in project.properties():
        for number, entry in enumerate(_list(file.data.get("snapshots"))):
            if not isinstance(entry, dict):
                continue
            keys = {**entry, **(entry.get("config") or {})}
            lacks = [key for key in SNAPSHOT_KEYS if key not in keys and not _for_all(project, key)]
            if lacks:
                message = f"the snapshot {entry.get('name')} lacks {' and '.join(lacks)}"
                yield file.problem(("snapshots", number), message)


def _for_all(project: _Project, key: str) -> bool:
    """Tell whether `dbt_project.yml` says this for snapshots."""
    data = project.settings.data.get("snapshots") if project.settings else None
    return any(True for _ in _values(data, [key, f"+{key}"]))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _unknown_keys(project: _Project, match: re.Match[str]) -> Iterator[Problem]:
    if project.settings is None:
        return
    for key in re.findall(r"'([^']*)'", match["keys"]):
        if key in project.settings.data:
            meant = nearest(key, PROJECT_KEYS)
            yield project.settings.problem(
                [key], f"unknown key {key!r}", nearest=meant, at_key=True
            )


def _profile(project: _Project, match: re.Match[str]) -> Iterator[Problem]:
    if not (project.folder / PROFILES).is_file():
        message = f"there is no {PROFILES} in this folder: it says how dbt connects"
        yield Problem(display_name(project.folder, project.root), 0, 0, message)
        return
    profiles = project.yaml(PROFILES)
    if project.settings and profiles:
        names = [str(name) for name in profiles.data]
        yield project.settings.problem(
            ["profile"],
            f"{PROFILES} has no profile {match['name']!r}",
            allowed=names,
            nearest=nearest(match["name"], names),
        )


def _missing_node(project: _Project, match: re.Match[str]) -> Iterator[Problem]:
    name = match["name"]
    kind = "source" if match["kind"] == "source" else "model, seed or snapshot"
    word = name.split(".")[0]
    if match["how"] == "is disabled":
        yield project.at_word(match["file"], word, f"the {kind} {name!r} is disabled")
        return
    known = project.source_names() if kind == "source" else project.names()
    message = f"there is no {kind} {name!r}"
    yield project.at_word(match["file"], word, message, nearest=nearest(name, known))


def _group(project: _Project, match: re.Match[str]) -> Iterator[Problem]:
    name = match["name"]
    groups = re.findall(r"'([^']*)'", match["groups"])
    message = f"group: there is no group {name!r}" + ("" if groups else ": none is declared")
    found = [
        file.problem(place, message, allowed=groups, nearest=nearest(name, groups))
        for file, place, value in project.values(["group", "+group"])
        if value == name
    ]
    yield from found or [project.at_word(match["file"], name, message)]


def _doc(project: _Project, match: re.Match[str]) -> Iterator[Problem]:
    for file in project.properties():
        if find_word(file.path, match["name"]):
            name = str(file.path.relative_to(project.folder))
            yield project.at_word(name, match["name"], f"there is no doc {match['name']!r}")


KNOWN: tuple[tuple[str, Find], ...] = (
    (r"'period': '\w+'", _wrong_choice("period", PERIODS)),
    (r"Severity must be either 'warn' or 'error'", _wrong_choice("severity", SEVERITIES)),
    (r"at path \['(?P<key>\w+)'\]: (?P<value>\S+) (?P<wrong>is not of type '\w+')", _wrong_type),
    (r"Snapshots must be configured with a 'strategy' and 'unique_key'", _snapshots),
    (
        r"Additional properties are not allowed \((?P<keys>.*) (was|were) unexpected\)",
        _unknown_keys,
    ),
    (r"Could not find profile named '(?P<name>[^']*)'", _profile),
    (
        (
            r"\((?P<file>[^)]+)\) depends on a (?P<kind>node|source) named '(?P<name>[^']*)'"
            r".* which (?P<how>was not found|is disabled)"
        ),
        _missing_node,
    ),
    (
        r"\((?P<file>[^)]+)\) Invalid group '(?P<name>[^']*)', expected one of (?P<groups>\[.*?\])",
        _group,
    ),
    (r"depends on doc '(?P<name>[^']*)'", _doc),
)

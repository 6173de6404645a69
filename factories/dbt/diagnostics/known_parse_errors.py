"""dbt's errors that do not name the place of the mistake, or only its file: a table of them.

`KNOWN_ERRORS` says of each what dbt 1.11 writes and which function finds the place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from factories.core.assets.context import LoadContext
from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import YamlFile, display_name
from factories.dbt.diagnostics.find_word import find_word
from factories.dbt.project.properties import Place, PropertiesFiles
from factories.dbt.project.source_files import source_folders

PROFILES = "profiles.yml"
PERIODS = ("minute", "hour", "day")
SNAPSHOT_KEYS = ("strategy", "unique_key")
SEVERITIES = ("warn", "error")
SOURCE = 2  # the section and a source's name; what is longer names a table too


@dataclass(frozen=True)
class KnownError:
    """An error of dbt whose place can be found.

    Attributes:
        pattern: What its text matches; its groups are the details.
        find: Yields the problems, at their places.
        example: What dbt writes, on one line.
    """

    pattern: str
    find: Callable[[_Project, re.Match[str]], Iterator[Problem]]
    example: str


def known_problems(project: Path, text: str, load_context: LoadContext) -> list[Problem]:
    """Return the problems of an error that is known; empty for any other.

    Args:
        project: The dbt project's folder.
        text: What dbt wrote, on one line.
        load_context: Knows the project folder.
    """
    for error in KNOWN_ERRORS:
        if match := re.search(error.pattern, text):
            return list(error.find(_Project(project, load_context), match))
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

    def at_values(
        self, key: str, is_wrong: Callable[[Any], bool], message: str, choices: Collection[str] = ()
    ) -> Iterator[Problem]:
        """Yield a problem at each wrong value that stands at a key; `{value}` stands for it."""
        for file in self.properties():
            for place, value in _values(file.data, [key, f"+{key}"]):
                if is_wrong(value):
                    text = f"{key}: {message.format(value=repr(value))}"
                    meant = nearest(str(value), choices)
                    yield file.problem(place, text, allowed=tuple(choices), nearest=meant)

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


def _find_wrong_choice(project: _Project, key: str, choices: Collection[str]) -> Iterator[Problem]:
    """Find the values of a key that are not among its choices, and not computed."""

    def is_wrong(value: Any) -> bool:
        return isinstance(value, str) and "{{" not in value and value.lower() not in choices

    return project.at_values(key, is_wrong, "{value} is not one of the allowed values", choices)


def _find_period(project: _Project, _: re.Match[str]) -> Iterator[Problem]:
    return _find_wrong_choice(project, "period", PERIODS)


def _find_severity(project: _Project, _: re.Match[str]) -> Iterator[Problem]:
    return _find_wrong_choice(project, "severity", SEVERITIES)


def _find_wrong_type(project: _Project, match: re.Match[str]) -> Iterator[Problem]:
    given, wrong = match["value"], match["wrong"]
    return project.at_values(match["key"], lambda value: repr(value) == given, f"{{value}} {wrong}")


def _find_snapshots(project: _Project, _: re.Match[str]) -> Iterator[Problem]:
    for file in project.properties():
        for number, entry in enumerate(_list(file.data.get("snapshots"))):
            if not isinstance(entry, dict):
                continue
            keys = {**entry, **(entry.get("config") or {})}
            missing = [
                key for key in SNAPSHOT_KEYS if key not in keys and not _is_for_all(project, key)
            ]
            if missing:
                message = f"the snapshot {entry.get('name')} lacks {' and '.join(missing)}"
                yield file.problem(("snapshots", number), message)


def _is_for_all(project: _Project, key: str) -> bool:
    """Tell whether `dbt_project.yml` says this for snapshots."""
    data = project.settings.data.get("snapshots") if project.settings else None
    return any(True for _ in _values(data, [key, f"+{key}"]))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _find_unknown_keys(project: _Project, match: re.Match[str]) -> Iterator[Problem]:
    if project.settings is None:
        return
    for key in re.findall(r"'([^']*)'", match["keys"]):
        if key in project.settings.data:
            meant = nearest(key, _project_keys())
            yield project.settings.problem(
                [key], f"unknown key {key!r}", nearest=meant, at_key=True
            )


def _project_keys() -> list[str]:
    """Return the top-level keys of `dbt_project.yml`, by the JSON schema in dbt's own package."""
    spec = find_spec("dbt")
    folders = [Path(name) for name in (spec.submodule_search_locations if spec else None) or ()]
    schemas = [path for folder in folders for path in folder.glob("jsonschemas/project/*.json")]
    keys = {key for path in schemas for key in json.loads(path.read_bytes())["properties"]}
    return sorted(keys)


def _find_profile(project: _Project, match: re.Match[str]) -> Iterator[Problem]:
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


def _find_missing_node(project: _Project, match: re.Match[str]) -> Iterator[Problem]:
    name = match["name"]
    kind = "source" if match["kind"] == "source" else "model, seed or snapshot"
    word = name.split(".")[0]
    if match["how"] == "is disabled":
        yield project.at_word(match["file"], word, f"the {kind} {name!r} is disabled")
        return
    known = project.source_names() if kind == "source" else project.names()
    message = f"there is no {kind} {name!r}"
    yield project.at_word(match["file"], word, message, nearest=nearest(name, known))


def _find_group(project: _Project, match: re.Match[str]) -> Iterator[Problem]:
    name = match["name"]
    groups = re.findall(r"'([^']*)'", match["groups"])
    message = "there is no group {value}" + ("" if groups else ": none is declared")
    found = list(project.at_values("group", lambda value: value == name, message, groups))
    text = f"group: {message.format(value=repr(name))}"
    yield from found or [project.at_word(match["file"], name, text)]


def _find_doc(project: _Project, match: re.Match[str]) -> Iterator[Problem]:
    for file in project.properties():
        if find_word(file.path, match["name"]):
            name = str(file.path.relative_to(project.folder))
            yield project.at_word(name, match["name"], f"there is no doc {match['name']!r}")


KNOWN_ERRORS = (
    KnownError(
        r"'period': '\w+'",
        _find_period,
        'Field "warn_after" of type Optional[Time] in FreshnessThreshold has invalid value'
        " {'count': 1, 'period': 'hours'}",
    ),
    KnownError(
        r"Severity must be either 'warn' or 'error'",
        _find_severity,
        "Parsing Error at path []: Severity must be either 'warn' or 'error'. Got 'warning'",
    ),
    KnownError(
        r"at path \['(?P<key>\w+)'\]: (?P<value>\S+) (?P<wrong>is not of type '\w+')",
        _find_wrong_type,
        "Parsing Error at path ['enabled']: 'maybe' is not of type 'boolean'",
    ),
    KnownError(
        r"Snapshots must be configured with a 'strategy' and 'unique_key'",
        _find_snapshots,
        "Snapshots must be configured with a 'strategy' and 'unique_key'.",
    ),
    KnownError(
        r"Additional properties are not allowed \((?P<keys>.*) (was|were) unexpected\)",
        _find_unknown_keys,
        "Runtime Error at path []: Additional properties are not allowed ('modles' was unexpected)",
    ),
    KnownError(
        r"Could not find profile named '(?P<name>[^']*)'",
        _find_profile,
        "Runtime Error Could not find profile named 'small'",
    ),
    KnownError(
        r"\((?P<file>[^)]+)\) depends on a (?P<kind>node|source) named '(?P<name>[^']*)'"
        r".* which (?P<how>was not found|is disabled)",
        _find_missing_node,
        "Compilation Error Model 'model.small.second' (models/marts/second.sql) depends on a node"
        " named 'frist' which was not found",
    ),
    KnownError(
        r"\((?P<file>[^)]+)\) Invalid group '(?P<name>[^']*)', expected one of (?P<groups>\[.*?\])",
        _find_group,
        "Parsing Error in model first (models/marts/first.sql) Invalid group 'somme', expected one"
        " of ['some']",
    ),
    KnownError(
        r"depends on doc '(?P<name>[^']*)'",
        _find_doc,
        "Compilation Error Documentation for 'model.small.first' depends on doc 'nope'  which was"
        " not found",
    ),
)

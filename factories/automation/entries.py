"""Reading `automation.yaml`, or `jobs.yaml`, `schedules.yaml` and `sensors.yaml` beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from factories.automation.schema import AutomationFile, JobItem, ScheduleItem, SensorItem
from factories.automation.sensor_schema import SENSORS
from factories.core.assets.context import LoadContext, Origin
from factories.core.meta.keys import RESERVED
from factories.core.meta.names import PLAIN
from factories.core.yaml.models import SourceMap, StrictModel, validate
from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import KeyPath, YamlFile, display_name, read_yaml

WHOLE = "automation"
KINDS = ("jobs", "schedules", "sensors")
SUFFIXES = (".yaml", ".yml")

ItemT = TypeVar("ItemT", bound=StrictModel)


@dataclass(frozen=True)
class Entry(Generic[ItemT]):
    """A job, schedule or sensor of YAML.

    Attributes:
        name: Its name.
        item: What YAML says of it.
        places: Where its values are written.
        origin: Where its name is written.
    """

    name: str
    item: ItemT
    places: SourceMap
    origin: Origin

    def place_of(self, path: KeyPath) -> Origin:
        """Return where a value is written."""
        file = self.places.file
        return Origin(file.name, *file.position([*self.places.bases[0], *path]))

    def problem(self, path: KeyPath, message: str, **details: Any) -> Problem:
        """Return a problem at one of its keys; of no key, at its name."""
        if not path:
            return self.places.file.problem(self.places.bases[0], message, at_key=True, **details)
        return self.places.problem(path, message, **details)


@dataclass
class Entries:
    """Everything that the automation files of a code location say.

    Attributes:
        location: The name of the code location's folder.
        problems: What is wrong with the entries; those that can be read are there none the less.
        unread: The names of those that cannot.
    """

    location: str
    jobs: list[Entry[JobItem]] = field(default_factory=list)
    schedules: list[Entry[ScheduleItem]] = field(default_factory=list)
    sensors: list[Entry[SensorItem]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)

    def ticking(self) -> list[Entry[Any]]:
        """Return the schedules and sensors."""
        return [*self.schedules, *self.sensors]


def read_entries(name: str, load_context: LoadContext) -> Entries:
    """Read the automation files of a code location.

    Args:
        name: An `automation.yaml`, or the folder that holds it, relative to the project folder.
        load_context: Knows the project folder.
    """
    path = load_context.root / name
    folder = path if path.is_dir() else path.parent
    entries = Entries(folder.name)
    paths = _paths(path, folder)
    if not paths:
        said = "holds no automation.yaml, jobs.yaml, schedules.yaml or sensors.yaml"
        message = said if path.is_dir() else "the file does not exist"
        entries.problems.append(Problem(display_name(path, load_context.root), 0, 0, message))
    for found in paths:
        _read_file(found, entries, load_context.root)
    _check_names(entries)
    return entries


def _paths(path: Path, folder: Path) -> list[Path]:
    """Return the files to read: what lies beside an `automation.yaml` belongs to it."""
    if path.is_file() and path.stem != WHOLE:
        return [path]
    if not path.is_dir() and not path.is_file():
        return []
    names = [f"{stem}{suffix}" for stem in (WHOLE, *KINDS) for suffix in SUFFIXES]
    return [folder / name for name in names if (folder / name).is_file()]


def _read_file(path: Path, entries: Entries, root: Path) -> None:
    problems = entries.problems
    file = read_yaml(path, root=root, problems=problems, holds="jobs, schedules or sensors")
    if file is None:
        return
    for key in KINDS:
        if key in file.data and path.stem in KINDS and key != path.stem:
            message = f"{key!r} belongs into {key}.yaml or automation.yaml"
            problems.append(file.problem([key], message, at_key=True))
    validate(AutomationFile, file.data, SourceMap(file, []), problems)
    entries.jobs += _items(file, "jobs", JobItem, problems)
    entries.schedules += _items(file, "schedules", ScheduleItem, problems)
    entries.sensors += _sensors(file, problems)
    read = {entry.name for entry in (*entries.jobs, *entries.ticking())}
    entries.unread |= {name for kind in KINDS for name, _ in _values(file, kind)} - read


def _values(file: YamlFile, kind: str) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a kind, where there is a mapping of them."""
    found = file.data.get(kind)
    if isinstance(found, dict):
        yield from ((name, value) for name, value in found.items() if isinstance(name, str))


def _items(
    file: YamlFile, kind: str, model: type[ItemT], problems: list[Problem]
) -> Iterator[Entry[ItemT]]:
    for name, value in _values(file, kind):
        places = SourceMap(file, [kind, name])
        item = validate(model, value, places, problems)
        if item is not None:
            yield _entry(name, item, places)


def _sensors(file: YamlFile, problems: list[Problem]) -> Iterator[Entry[SensorItem]]:
    for name, value in _values(file, "sensors"):
        places = SourceMap(file, ["sensors", name])
        kind = value.get("type") if isinstance(value, dict) else None
        model = SENSORS.get(kind) if isinstance(kind, str) else None
        if isinstance(value, dict) and model is None:
            # One problem: which other keys there are depends on it.
            said = f"{kind!r} is not a kind of sensor" if kind is not None else "is missing"
            near = nearest(kind, SENSORS) if isinstance(kind, str) else None
            problems.append(
                places.problem(["type"], f"type: {said}", allowed=[*SENSORS], nearest=near)
            )
            continue
        item = validate(model or SensorItem, value, places, problems)
        if item is not None and model is not None:
            yield _entry(name, item, places)


def _entry(name: str, item: ItemT, places: SourceMap) -> Entry[ItemT]:
    line, column = places.file.position(places.bases[0], at_key=True)
    return Entry(name, item, places, Origin(places.file.name, line, column))


def _check_names(entries: Entries) -> None:
    """Report names that Dagster does not take, and two of one name."""
    problems = entries.problems
    jobs: dict[str, Origin] = {}
    ticking: dict[str, Origin] = {}
    for entry in entries.jobs:
        _check_name(entry, jobs, "jobs", problems)
    for automated in entries.ticking():
        _check_name(automated, ticking, "schedules or sensors", problems)
        other = jobs.get(automated.name)
        if other is not None and automated.item.job is None:
            message = (
                f"what {automated.name!r} runs is a job of that name, and there is one at {other}:"
                f" give `job: {automated.name}`, or another name"
            )
            problems.append(automated.problem([], message))


def _check_name(
    entry: Entry[Any], known: dict[str, Origin], kind: str, problems: list[Problem]
) -> None:
    first = known.setdefault(entry.name, entry.origin)
    if first is not entry.origin:
        message = f"two {kind} are named {entry.name!r}: here and at {first}"
        problems.append(entry.problem([], message))
    if not PLAIN.fullmatch(entry.name) or entry.name in RESERVED or entry.name.startswith("__"):
        message = f"{entry.name!r} cannot be a name: letters, digits and '_', and no word of Python"
        problems.append(entry.problem([], message))

"""`dp changed`: the code locations that a change touches, each with its reasons."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from factories.cli.changes import location_inputs
from factories.cli.changes.git_changes import (
    FileChange,
    read_base_text,
    read_changes,
)
from factories.cli.changes.refusals import run_or_refuse
from factories.cli.checking.deployment_files import CLOUD_FILE
from factories.cli.workspace import (
    CodeLocation,
    LocationProcessError,
    load_workspace,
    run_in_location,
)
from factories.core.project import MARKER, project_root

PROJECT = "pyproject.toml"
CONSTRAINTS = PurePosixPath("constraints")
# Tables of pyproject.toml that say what an environment holds; the others are tools' settings.
INSTALLED = ("project", "build-system")
IMAGE_FOLDERS = ("deploy/image",)
WORKFLOWS = ".github"
CHART_VALUES = PurePosixPath("deploy", "helm")
DOCS = "docs"


@dataclass(frozen=True)
class LocationInputs:
    """What of the project a code location is made of.

    Attributes:
        modules: The files of the modules that loading it imports.
        files: The files that it opens.
        folders: The folders that it lists.
        error: Why it cannot be loaded; empty when it can.
    """

    modules: frozenset[str]
    files: frozenset[str]
    folders: frozenset[str]
    error: str = ""

    @property
    def units(self) -> frozenset[str]:
        """The parts of packages that it imports from; steps import the rest of each later."""
        return frozenset(unit_of(file) for file in self.modules)


@dataclass(frozen=True)
class TouchedLocation:
    """A code location, and why a change touches it: one sentence for each file."""

    name: str
    module: str
    python: str
    reasons: list[str]


@dataclass(frozen=True)
class Touched:
    """What a change touches.

    Attributes:
        locations: The code locations, in the order of `workspace.yaml`.
        tests: The changed files that no location is made of, and tests may be.
        prose: The changed files that people read, and nothing else.
    """

    locations: list[TouchedLocation]
    tests: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)

    @property
    def matrix(self) -> dict[str, list[dict[str, str]]]:
        """What a workflow's `strategy.matrix` takes."""
        include = [{"location": one.name, "module": one.module} for one in self.locations]
        return {"include": include}

    def to_json(self) -> str:
        """Return it for CI, with the matrix."""
        return json.dumps({**asdict(self), "matrix": self.matrix})


def show_touched(base: str, *, as_json: bool) -> int:
    """Print what differs from a base touches; return the exit status."""

    def show() -> int:
        touched = find_touched(project_root(), base)
        sys.stdout.write(f"{touched.to_json() if as_json else _text(touched)}\n")
        return 0

    return run_or_refuse(show)


def _text(touched: Touched) -> str:
    lines = []
    for location in touched.locations:
        lines += [location.name, *(f"  {reason}" for reason in location.reasons)]
    lines = lines or ["no code location"]
    if touched.tests:
        lines += ["tests alone", *(f"  {file}" for file in touched.tests)]
    return "\n".join(lines)


def unit_of(file: str) -> str:
    """Return the part of a package that a module belongs to: `factories/sling` of all below it.

    What lies directly in a package's folder is one part: the folder.
    """
    parts = PurePosixPath(file).parts
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]  # noqa: PLR2004 - package, part, file


def find_touched(root: Path, base: str) -> Touched:
    """Return what that differs from a base touches, by loading each location.

    Raises:
        ConfigError: When `workspace.yaml` cannot be read.
        GitError: When the base is unknown.
    """
    locations = load_workspace(root)
    changes = read_changes(root, base)
    with ThreadPoolExecutor() as pool:
        inputs = pool.map(lambda location: read_inputs(root, location), locations)
        made_of = dict(zip(locations, inputs, strict=True))
    return judge_changes(root, base, changes, made_of)


def judge_changes(
    root: Path,
    base: str,
    changes: Sequence[FileChange],
    made_of: Mapping[CodeLocation, LocationInputs],
) -> Touched:
    """Return what changes touch.

    Args:
        root: The project folder.
        base: What they are changes of.
        changes: The files.
        made_of: What each location is made of.
    """
    reasons: dict[CodeLocation, list[str]] = {location: [] for location in made_of}
    tests: list[str] = []
    prose: list[str] = []
    shared = _SharedFiles(root, base)
    for change in changes:
        found = {
            location: why
            for location, inputs in made_of.items()
            if (why := shared.why(change, location) or _why(root, change, inputs))
        }
        for location, why in found.items():
            reasons[location].append(f"{change}: {why}")
        if not found:
            (prose if _is_prose(change.file) else tests).append(change.file)
    for location, inputs in made_of.items():
        if inputs.error:
            reasons[location].append(f"it cannot be loaded: {inputs.error}")
    touched = [
        TouchedLocation(one.name, one.module, str(one.python.relative_to(root)), why)
        for one, why in reasons.items()
        if why
    ]
    return Touched(touched, tests, prose)


def read_inputs(root: Path, location: CodeLocation) -> LocationInputs:
    """Load a code location in its own environment, and return what it was made of."""
    arguments = [location_inputs.__file__, str(root), location.module]
    try:
        text = run_in_location(root, location, arguments, {"DP_PROJECT_DIR": str(root)})
    except LocationProcessError as error:
        nothing: frozenset[str] = frozenset()
        return LocationInputs(nothing, nothing, nothing, str(error))
    found: dict[str, Any] = json.loads(text)
    modules, files, folders = (frozenset(found[n]) for n in ("modules", "files", "folders"))
    return LocationInputs(modules, files, folders, found["error"])


def _why(root: Path, change: FileChange, made_of: LocationInputs) -> str | None:
    """Return why a change touches a location, by what it is made of."""
    if change.file in made_of.files and change.file not in made_of.modules:
        return "the location reads it"
    if change.file.endswith(".py") and (unit := unit_of(change.file)) in made_of.units:
        return f"the location imports {unit}"
    if change.what == "deleted":
        folders = PurePosixPath(change.file).parents
        left = str(next(folder for folder in folders if (root / folder).is_dir()))
        if left in made_of.folders:
            return f"the location reads what lies in {left}"
    return None


class _SharedFiles:
    """The files that no location reads when it is loaded, but that it is built or served with."""

    def __init__(self, root: Path, base: str) -> None:
        self._root = root
        self._base = base

    def why(self, change: FileChange, location: CodeLocation) -> str | None:
        path = PurePosixPath(change.file)
        environment = location.python.parent.parent.name
        if path.parent == CONSTRAINTS:
            return "its environment is made of it" if path.stem == environment else None
        if change.file == PROJECT:
            return self._why_project()
        if change.file in ENTRIES:
            return self._why_entry(change.file, location)
        if path.name == ".dockerignore" or any(path.is_relative_to(f) for f in IMAGE_FOLDERS):
            return "its image is built with it"
        if path.is_relative_to(WORKFLOWS) or path == CHART_VALUES / f"{location.name}.yaml":
            return "it is deployed by it"
        return None

    def _why_project(self) -> str | None:
        text = read_base_text(self._root, self._base, PROJECT) or ""
        now = self._root / PROJECT
        before, after = (
            tomllib.loads(one) for one in (text, now.read_text() if now.exists() else "")
        )
        differs = any(before.get(table) != after.get(table) for table in INSTALLED)
        return "it says what environments hold" if differs else None

    def _why_entry(self, file: str, location: CodeLocation) -> str | None:
        now = self._root / file
        before, after = (
            ENTRIES[file](text).get(location.name)
            for text in (
                read_base_text(self._root, self._base, file) or "",
                now.read_text() if now.exists() else "",
            )
        )
        return "its entry differs" if before != after else None


def _workspace_entries(text: str) -> Mapping[str, object]:
    """Return the entries of a `workspace.yaml` by the names of their locations."""
    try:
        entries: Sequence[Any] = _read_mapping(text).get("load_from") or ()
        return {entry["python_module"]["location_name"]: entry for entry in entries}
    except (KeyError, TypeError):
        return {}


def _cloud_entries(text: str) -> Mapping[str, object]:
    """Return the entries of a `dagster_cloud.yaml`, each with what all locations have."""
    try:
        data = _read_mapping(text)
        entries: Sequence[Any] = data.get("locations") or ()
        return {entry["location_name"]: (data.get("defaults"), entry) for entry in entries}
    except (KeyError, TypeError):
        return {}


def _read_mapping(text: str) -> Mapping[str, Any]:
    import yaml  # noqa: PLC0415 - only where such a file has changed

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return data if isinstance(data, dict) else {}


# Files with an entry for each code location, and what reads them.
ENTRIES: Mapping[str, Callable[[str], Mapping[str, object]]] = {
    MARKER: _workspace_entries,
    CLOUD_FILE: _cloud_entries,
}


def _is_prose(file: str) -> bool:
    path = PurePosixPath(file)
    return path.parts[0] == DOCS or path.suffix == ".md"

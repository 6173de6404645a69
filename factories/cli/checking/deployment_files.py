"""Whether the files that Dagster's tools deploy by agree with `workspace.yaml`.

Dagster+ reads `dagster_cloud.yaml`, `dg` reads `dg.toml`, and each names every code location again.
A project may have neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from factories.cli.checking.dg_projects import dg_problems
from factories.cli.workspace import CodeLocation
from factories.core.project import MARKER
from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import KeyPath, YamlFile, read_yaml

CLOUD_FILE = "dagster_cloud.yaml"
# The keys that Dagster+ takes: dagster_cloud_cli.config.models, which no environment here holds.
FILE_KEYS = ("defaults", "locations")
DEFAULTS_KEYS = (
    *("build", "working_directory", "image", "executable_path", "container_context", "agent_queue"),
)
LOCATION_KEYS = ("location_name", "code_source", "attribute", *DEFAULTS_KEYS)
SOURCE_KEYS = ("package_name", "module_name", "python_file", "autoload_defs_module_name")


def agreement_problems(root: Path, locations: Sequence[CodeLocation]) -> Iterator[Problem]:
    """Yield where `dagster_cloud.yaml` and `dg.toml` say other than `workspace.yaml`.

    Compared are the code locations, and of each its module, attribute and Python.

    Args:
        root: The project folder.
        locations: The code locations of `workspace.yaml`.
    """
    if not locations:  # it could not be read: nothing agrees with that
        return
    if (root / CLOUD_FILE).is_file():
        yield from _cloud_problems(root, locations)
    yield from dg_problems(root, locations)


def _cloud_problems(root: Path, locations: Sequence[CodeLocation]) -> Iterator[Problem]:
    problems: list[Problem] = []
    file = read_yaml(root / CLOUD_FILE, root=root, problems=problems)
    yield from problems
    if file is None:
        return
    yield from _unknown_keys(file, (), file.data, FILE_KEYS)
    defaults = file.data.get("defaults")
    yield from _unknown_keys(file, ("defaults",), defaults, DEFAULTS_KEYS)
    entries = file.data.get("locations")
    if not isinstance(entries, list):
        yield file.problem(["locations"], "must be a list of code locations", at_key=True)
        return
    by_name = {location.name: location for location in locations}
    found: dict[str, int] = {}
    for index, entry in enumerate(entries):
        at = ("locations", index)
        name = entry.get("location_name") if isinstance(entry, dict) else None
        yield from _unknown_keys(file, at, entry, LOCATION_KEYS)
        if not isinstance(name, str):
            yield file.problem(at, "a code location needs a location_name")
        elif name in found:
            line, _ = file.position(["locations", found[name], "location_name"])
            message = f"the code location {name} is named twice: also on line {line}"
            yield file.problem([*at, "location_name"], message)
        elif name not in by_name:
            yield file.problem(
                [*at, "location_name"],
                f"there is no code location {name!r} in {MARKER}",
                allowed=tuple(by_name),
                nearest=nearest(name, by_name),
            )
        else:
            found[name] = index
            yield from _entry_problems(file, at, entry, by_name[name], root)
    for name in by_name:
        if name not in found:
            message = f"the code location {name} of {MARKER} is missing"
            yield file.problem(["locations"], message, at_key=True)


def _entry_problems(
    file: YamlFile, at: KeyPath, entry: dict[str, Any], location: CodeLocation, root: Path
) -> Iterator[Problem]:
    """Yield what one location has otherwise than `workspace.yaml`."""
    source = entry.get("code_source")
    yield from _unknown_keys(file, [*at, "code_source"], source, SOURCE_KEYS)
    module = source.get("module_name") if isinstance(source, dict) else None
    if module != location.module:
        yield _differs(file, [*at, "code_source", "module_name"], module, location.module)
    attribute = entry.get("attribute")
    if None not in (attribute, location.attribute) and attribute != location.attribute:
        yield _differs(file, [*at, "attribute"], attribute, location.attribute)
    if location.python.is_relative_to(root):
        expected = PurePosixPath(location.python.relative_to(root))
        yield from _python_problems(file, at, entry, expected)


def _python_problems(
    file: YamlFile, at: KeyPath, entry: dict[str, Any], expected: PurePosixPath
) -> Iterator[Problem]:
    """Yield that a location runs in another environment, wherever the image has the project."""
    place: KeyPath = [*at, "executable_path"]
    defaults = file.data.get("defaults")
    if "executable_path" not in entry:
        place = ["defaults", "executable_path"]
        if not isinstance(defaults, dict) or "executable_path" not in defaults:
            return  # the image's own Python
    python = str((defaults if place[0] == "defaults" else entry)["executable_path"])
    if PurePosixPath(python).parts[-len(expected.parts) :] != expected.parts:
        yield _differs(file, place, python, f"…/{expected}")


def _differs(file: YamlFile, at: KeyPath, found: object, expected: str | None) -> Problem:
    if found is None:
        return file.problem(at, f"{at[-1]} is missing: {MARKER} has {expected}")
    return file.problem(at, f"{at[-1]} is {found}, and {expected} in {MARKER}")


def _unknown_keys(
    file: YamlFile, at: KeyPath, node: object, known: Sequence[str]
) -> Iterator[Problem]:
    """Yield the keys that Dagster+ refuses when the project is deployed."""
    for key in node if isinstance(node, dict) else ():
        if key not in known:
            yield file.problem(
                [*at, key],
                f"unknown key {key!r}",
                allowed=known,
                nearest=nearest(str(key), known),
                at_key=True,
            )

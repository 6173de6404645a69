"""Whether the projects of Dagster's `dg` are the code locations of `workspace.yaml`.

`dg` reads `dg.toml`, or `[tool.dg]` of a `pyproject.toml`: at the root a workspace, which names the
folders of its projects, and in each of them what the project is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factories.cli.workspace import CodeLocation
from factories.core.project import MARKER
from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import display_name

DG_FILES = ("dg.toml", "pyproject.toml")
ERROR_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")


@dataclass(frozen=True)
class DgFile:
    """What `dg` reads in one folder.

    Attributes:
        name: The file's path as error messages show it.
        text: Its content.
        data: The settings of `dg` in it.
    """

    name: str
    text: str = field(repr=False)
    data: Mapping[str, Any]

    def problem(self, key: str, message: str, *, value: str = "", **details: Any) -> Problem:
        """Return a problem at a key, or at its text value; the first line that has it is meant."""
        quoted = rf"[\"']{re.escape(value)}[\"']" if value else ""
        found = re.search(rf"^(?:[^#\n]*[^\w#\n])??({key}\s*=\s*){quoted}", self.text, re.MULTILINE)
        if found is None:
            return Problem(self.name, 0, 0, message, **details)
        at = found.end(1) if value else found.start(1)
        line = self.text.count("\n", 0, at) + 1
        return Problem(self.name, line, at - self.text.rfind("\n", 0, at), message, **details)


def dg_problems(root: Path, locations: Sequence[CodeLocation]) -> Iterator[Problem]:
    """Yield where the projects of `dg` are other than the code locations; none without `dg`."""
    problems: list[Problem] = []
    workspace = _read_dg_file(root, root, problems)
    if workspace is None:
        yield from problems
        return
    found: set[str] = set()
    for path in _project_paths(workspace, problems):
        count = len(problems)
        project = _read_dg_file(root / path, root, problems)
        if project is not None:
            problems += _project_problems(project, root / path, locations, found)
        elif len(problems) == count:
            message = f"there is no {DG_FILES[0]} in {path}"
            problems.append(workspace.problem("path", message, value=path))
    yield from problems
    for location in locations:
        if location.name not in found:
            message = f"the code location {location.name} of {MARKER} is no project"
            yield workspace.problem("projects", message)


def _read_dg_file(folder: Path, root: Path, problems: list[Problem]) -> DgFile | None:
    """Return what `dg` reads in a folder; None when there is nothing, or it cannot be read."""
    for path in (folder / name for name in DG_FILES):
        if not path.is_file():
            continue
        name = display_name(path, root)
        try:
            text = path.read_text(encoding="utf-8")
            data: Mapping[str, Any] = tomllib.loads(text)
        except ValueError as error:  # of TOML, or not UTF-8
            problems.append(_invalid(name, str(error)))
            return None
        if path.name == DG_FILES[1]:
            data = _table(_table(data, "tool"), "dg")
        if data:
            return DgFile(name, text, data)
    return None


def _invalid(name: str, error: str) -> Problem:
    place = ERROR_PLACE.search(error)
    line, column = (int(place[1]), int(place[2])) if place else (0, 0)
    return Problem(name, line, column, f"not valid TOML: {ERROR_PLACE.sub('', error)}")


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a table; an empty one for anything else, which `dg` refuses itself."""
    table = data.get(key)
    return table if isinstance(table, dict) else {}


def _project_paths(file: DgFile, problems: list[Problem]) -> Iterator[str]:
    """Yield the folders of the projects; a folder that is a project itself is the only one."""
    if "project" in file.data:
        yield "."
        return
    projects = _table(file.data, "workspace").get("projects", [])
    paths = [_table({"of": one}, "of").get("path") for one in projects]
    for path in paths:
        if isinstance(path, str):
            yield path
        else:
            message = 'projects must be a list of folders, such as [{path = "code_locations/ml"}]'
            problems.append(file.problem("projects", message))


def _project_problems(
    file: DgFile, folder: Path, locations: Sequence[CodeLocation], found: set[str]
) -> Iterator[Problem]:
    """Yield what one project has otherwise than `workspace.yaml`; its name is added to `found`."""
    by_name = {location.name: location for location in locations}
    project = _table(file.data, "project")
    name = str(project.get("code_location_name", folder.name))
    if name in found:
        message = f"the code location {name} is a project already"
        yield file.problem("code_location_name", message, value=name)
    elif name not in by_name:
        yield file.problem(
            "code_location_name",
            f"there is no code location {name!r} in {MARKER}",
            value=name,
            allowed=tuple(by_name),
            nearest=nearest(name, by_name),
        )
    else:
        found.add(name)
        yield from _module_problems(file, project, by_name[name])
        environment, expected = folder / ".venv", by_name[name].python.parent.parent
        # Without the link, `dg` is told which Python to use.
        if environment.exists() and environment.resolve() != expected.resolve():
            path = str(Path(file.name).parent / environment.name)
            message = f"is another environment than that of {name} in {MARKER}"
            yield Problem(path, 0, 0, message)


def _module_problems(
    file: DgFile, project: Mapping[str, Any], location: CodeLocation
) -> Iterator[Problem]:
    key = "code_location_target_module"
    module = project.get(key)
    if module is None and f"{project.get('root_module')}.definitions" != location.module:
        message = f"{key} is missing: {MARKER} has {location.module}"
        yield file.problem("root_module", message)
    elif module is not None and module != location.module:
        message = f"{key} is {module}, and {location.module} in {MARKER}"
        yield file.problem(key, message, value=str(module))

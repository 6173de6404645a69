"""The code locations of `workspace.yaml`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from factories.cli.location_report import LocationReport
from factories.core.project import MARKER
from factories.core.yaml.models import SourceMap, validate
from factories.core.yaml.problems import ConfigError, Problem
from factories.core.yaml.reader import read_yaml

LOAD_TIMEOUT_SECONDS = 300


class _PythonModule(BaseModel):
    module_name: str
    location_name: str
    executable_path: str
    attribute: str = "defs"


class _Entry(BaseModel):
    python_module: _PythonModule


class _Workspace(BaseModel):
    load_from: list[_Entry]


@dataclass(frozen=True)
class CodeLocation:
    """One entry of the workspace.

    Attributes:
        name: The location's name.
        module: The Python module with its definitions.
        python: The interpreter of its environment.
        attribute: What the definitions are called in the module.
    """

    name: str
    module: str
    python: Path
    attribute: str = "defs"


def read_workspace(root: Path, problems: list[Problem]) -> list[CodeLocation]:
    """Return the code locations of a project, in the file's order."""
    file = read_yaml(root / MARKER, root=root, problems=problems)
    model = validate(_Workspace, file.data, SourceMap(file, []), problems) if file else None
    entries = [entry.python_module for entry in model.load_from] if model else []
    return [
        CodeLocation(
            entry.location_name,
            entry.module_name,
            root / entry.executable_path,
            entry.attribute,
        )
        for entry in entries
    ]


def load_workspace(root: Path) -> list[CodeLocation]:
    """Read `workspace.yaml`, for who can do nothing without it.

    Raises:
        ConfigError: When it cannot be read.
    """
    problems: list[Problem] = []
    locations = read_workspace(root, problems)
    if problems:
        raise ConfigError(problems)
    return locations


class LocationProcessError(Exception):
    """A code location's process came to no result; the text is the reason, to follow a colon."""


def run_in_location(
    root: Path,
    location: CodeLocation,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    seconds: float = LOAD_TIMEOUT_SECONDS,
) -> str:
    """Run a program with the interpreter of a code location, and return what it prints.

    Args:
        root: The project folder, where it runs.
        location: Whose environment it gets.
        arguments: Of the interpreter.
        environment: Variables beside those of this process.
        seconds: How long it may take.

    Raises:
        LocationProcessError: When there is no interpreter, or the program fails or takes too long.
    """
    if not location.python.is_file():
        raise LocationProcessError("its environment is missing, run `make setup`")
    try:
        done = subprocess.run(
            [str(location.python), *arguments],
            cwd=root,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        text = f"it takes longer than {seconds:g} s"
        raise LocationProcessError(text) from None
    if done.returncode != 0:
        reason = done.stderr.strip()[-2000:] or f"it ended with status {done.returncode}"
        raise LocationProcessError(reason)
    return done.stdout


def report_locations(root: Path, locations: Sequence[CodeLocation]) -> dict[str, LocationReport]:
    """Load every location in its own environment, at once, and return their reports by name."""
    with ThreadPoolExecutor() as pool:
        reports = pool.map(lambda location: _report(root, location), locations)
        return dict(zip((location.name for location in locations), reports, strict=True))


def _report(root: Path, location: CodeLocation) -> LocationReport:
    arguments = ["-m", "factories.cli.location_report", location.module, location.attribute]
    # The files are checked as they are now, not as they were when dbt parsed them.
    environment = {"DP_PREPARE_DBT": "1"}
    try:
        return LocationReport.from_json(run_in_location(root, location, arguments, environment))
    except LocationProcessError as error:
        problem = Problem(MARKER, 0, 0, f"{location.name} cannot be loaded: {error}")
        return LocationReport(problems=[problem], loaded=False)

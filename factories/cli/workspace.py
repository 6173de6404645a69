"""The code locations of `workspace.yaml`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from factories.cli.location_report import LocationReport
from factories.core.project import MARKER
from factories.core.yaml.models import SourceMap, validate
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import read_yaml

LOAD_TIMEOUT_SECONDS = 300


class _PythonModule(BaseModel):
    module_name: str
    location_name: str
    executable_path: str


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
    """

    name: str
    module: str
    python: Path


def read_workspace(root: Path, problems: list[Problem]) -> list[CodeLocation]:
    """Return the code locations of a project, in the file's order."""
    file = read_yaml(root / MARKER, root=root, problems=problems)
    model = validate(_Workspace, file.data, SourceMap(file, []), problems) if file else None
    entries = [entry.python_module for entry in model.load_from] if model else []
    return [
        CodeLocation(entry.location_name, entry.module_name, root / entry.executable_path)
        for entry in entries
    ]


def report_locations(root: Path, locations: Sequence[CodeLocation]) -> dict[str, LocationReport]:
    """Load every location in its own environment, at once, and return their reports by name."""
    with ThreadPoolExecutor() as pool:
        reports = pool.map(lambda location: _report(root, location), locations)
        return dict(zip((location.name for location in locations), reports, strict=True))


def _report(root: Path, location: CodeLocation) -> LocationReport:
    if not location.python.is_file():
        message = f"{location.name}: its environment is missing, run `make setup`"
        return LocationReport(problems=[Problem(MARKER, 0, 0, message)])
    try:
        done = subprocess.run(
            [str(location.python), "-m", "factories.cli.location_report", location.module],
            cwd=root,
            # The files are checked as they are now, not as they were when dbt parsed them.
            env={**os.environ, "DP_PREPARE_DBT": "1"},
            capture_output=True,
            text=True,
            timeout=LOAD_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        message = f"{location.name}: does not load within {LOAD_TIMEOUT_SECONDS} s"
        return LocationReport(problems=[Problem(MARKER, 0, 0, message)])
    if done.returncode != 0:
        message = f"{location.name}: cannot be loaded: {done.stderr.strip()[-2000:]}"
        return LocationReport(problems=[Problem(MARKER, 0, 0, message)])
    return LocationReport.from_json(done.stdout)

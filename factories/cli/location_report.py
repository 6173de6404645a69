"""`python -m factories.cli.location_report MODULE`: what a code location holds, as JSON.

Each code location is read in its own environment; `dp check` joins the reports.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import traceback
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from factories.core.assets.context import READS
from factories.core.project import MARKER, project_root
from factories.core.yaml.problems import ConfigError, Problem
from factories.core.yaml.reader import display_name

CODE_REFERENCES = "dagster/code_references"
# Dagster makes a stub asset of every dep that the location does not declare, with this metadata.
STUB = "dagster/auto_created_stub_asset"


@dataclass(frozen=True)
class AssetReport:
    """One asset of a location: its key, where it was declared, and what it depends on."""

    key: str
    file: str
    line: int
    produced: bool
    deps: list[str]


@dataclass(frozen=True)
class ReadReport:
    """One asset that a location says it reads and another has to produce; where it says so."""

    key: str
    file: str
    line: int


@dataclass
class LocationReport:
    """What one code location holds, or why it cannot be loaded."""

    assets: list[AssetReport] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    reads: list[ReadReport] = field(default_factory=list)

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> LocationReport:
        """Read a report that `to_json` wrote."""
        data = json.loads(text)
        problems = [Problem(**{**p, "allowed": tuple(p["allowed"])}) for p in data["problems"]]
        assets = [AssetReport(**asset) for asset in data["assets"]]
        return cls(assets, problems, [ReadReport(**read) for read in data["reads"]])


def report_location(module_name: str) -> LocationReport:
    """Load a code location and describe it."""
    try:
        # What the module prints must not mix with the report.
        with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            module = importlib.import_module(module_name)
            defs: dg.Definitions = module.defs
            specs = list(defs.resolve_all_asset_specs())
            executable = defs.resolve_asset_graph().materializable_asset_keys
    except ConfigError as error:
        return LocationReport(problems=list(error.problems))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever is wrong with the module is the finding
        return LocationReport(problems=[_load_problem(module_name, error)])
    reads: Any = defs.metadata.get(READS)
    return LocationReport(
        [
            _asset(spec, produced=spec.key in executable)
            for spec in specs
            if STUB not in spec.metadata
        ],
        reads=[ReadReport(**read) for read in reads.value] if reads else [],
    )


def _load_problem(module_name: str, error: BaseException) -> Problem:
    """Return the problem of a module that raised, at the project's own line nearest to it."""
    message = f"{module_name} cannot be loaded: {type(error).__name__}: {error}"
    root = project_root()
    places = [
        (Path(frame.filename), frame.lineno or 0)
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((Path(error.filename), error.lineno or 0))
    for path, line in reversed(places):
        own = path.is_relative_to(root) and not path.is_relative_to(Path(sys.prefix))
        if own and path != Path(__file__):
            return Problem(display_name(path, root), line, 1, message)
    return Problem(MARKER, 0, 0, message)


def _asset(spec: dg.AssetSpec, *, produced: bool) -> AssetReport:
    file, line = _origin(spec.metadata)
    deps = [dep.asset_key.to_user_string() for dep in spec.deps]
    return AssetReport(spec.key.to_user_string(), file, line, produced, deps)


def _origin(metadata: Any) -> tuple[str, int]:
    references = metadata.get(CODE_REFERENCES)
    for reference in references.code_references if references else ():
        if isinstance(reference, dg.LocalFileCodeReference):
            path = Path(reference.file_path)
            return display_name(path, project_root()), reference.line_number or 0
    return "", 0


def main() -> None:
    """Print the report of the module that the command line names."""
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as `dagster` finds modules of the project
    sys.stdout.write(report_location(sys.argv[1]).to_json())


if __name__ == "__main__":
    main()

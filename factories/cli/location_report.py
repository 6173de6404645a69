"""`python -m factories.cli.location_report MODULE`: what a code location holds, as JSON.

Each code location is read in its own environment; `dp check`, `dp ls` and `dp status` join the
reports.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import dagster as dg

from factories.alerts.config import ALERTS, read_alerts, runtime_problems
from factories.cli.asset_facts import (
    ConditionFacts,
    FreshnessFacts,
    describe_condition,
    describe_freshness,
)
from factories.core.assets.context import CHECK_READS, JOB_READS, READS
from factories.core.assets.specs import declared_at
from factories.core.project import MARKER, project_root
from factories.core.python_defs.error_places import error_place
from factories.core.yaml.problems import ConfigError, Problem
from factories.core.yaml.reader import display_name

# Dagster makes a stub asset of every dep that the location does not declare, with this metadata.
STUB = "dagster/auto_created_stub_asset"


@dataclass(frozen=True)
class AssetReport:
    """One asset of a location: where it was declared, and what is told of it.

    Attributes:
        key: Its key.
        file: Where it was declared, relative to the project; empty when nothing says it.
        line: The line there.
        produced: Whether the location makes it; else it only names it.
        deps: The assets that it depends on.
        group: Its group.
        kinds: Such as `dbt` and `table`.
        owners: Email addresses and teams.
        condition: When Dagster runs it by itself.
        freshness: When it counts as stale.
    """

    key: str
    file: str
    line: int
    produced: bool
    deps: list[str]
    group: str = "default"
    kinds: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    condition: ConditionFacts | None = None
    freshness: FreshnessFacts | None = None

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> AssetReport:
        """Read what `asdict` made."""
        condition, freshness = data["condition"], data["freshness"]
        return cls(
            **{
                **data,
                "condition": ConditionFacts.from_data(condition) if condition else None,
                "freshness": FreshnessFacts.from_data(freshness) if freshness else None,
            }
        )


@dataclass(frozen=True)
class ReadReport:
    """One asset or job that a location names and another one has to have; where it says so."""

    key: str
    file: str
    line: int
    column: int = 1


@dataclass
class LocationReport:
    """What one code location holds, or why it cannot be loaded.

    Attributes:
        assets: Its assets.
        problems: What is wrong with it.
        reads: The assets that it says it reads.
        check_reads: The assets whose tables its checks read.
        alerts: Its file of alerts; empty when it has none.
    """

    assets: list[AssetReport] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    reads: list[ReadReport] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    job_reads: list[ReadReport] = field(default_factory=list)
    check_reads: list[ReadReport] = field(default_factory=list)
    alerts: str = ""
    checks: dict[str, list[str]] = field(default_factory=dict)  # their names, by asset key

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> LocationReport:
        """Read a report that `to_json` wrote."""
        data = json.loads(text)
        problems = [Problem(**{**p, "allowed": tuple(p["allowed"])}) for p in data["problems"]]
        assets = [AssetReport.from_data(asset) for asset in data["assets"]]
        reads, job_reads, check_reads = (
            [ReadReport(**read) for read in data[name]]
            for name in ("reads", "job_reads", "check_reads")
        )
        return cls(
            assets,
            problems,
            reads,
            data["jobs"],
            job_reads,
            check_reads,
            data["alerts"],
            data["checks"],
        )


def report_location(module_name: str) -> LocationReport:
    """Load a code location and describe it."""
    try:
        # What the module prints must not mix with the report.
        with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            module = importlib.import_module(module_name)
            defs: dg.Definitions = module.defs
            specs = list(defs.resolve_all_asset_specs())
            graph = defs.resolve_asset_graph()
            executable = graph.materializable_asset_keys
            checks: dict[str, list[str]] = {}
            for check in sorted(graph.asset_check_keys):
                checks.setdefault(check.asset_key.to_user_string(), []).append(check.name)
    except ConfigError as error:
        return LocationReport(problems=list(error.problems))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever is wrong with the module is the finding
        return LocationReport(problems=[_load_problem(module_name, error)])
    alerts: Any = defs.metadata.get(ALERTS)
    return LocationReport(
        [
            _asset(spec, produced=spec.key in executable)
            for spec in specs
            if STUB not in spec.metadata
        ],
        list(_alerts_problems(alerts.value)) if alerts else [],
        reads=_reads(defs, READS),
        jobs=[job.name for job in defs.jobs or ()],
        job_reads=_reads(defs, JOB_READS),
        check_reads=_reads(defs, CHECK_READS),
        alerts=alerts.value if alerts else "",
        checks=checks,
    )


def _reads(defs: dg.Definitions, name: str) -> list[ReadReport]:
    reads: Any = defs.metadata.get(name)
    return [ReadReport(**read) for read in reads.value] if reads else []


def _alerts_problems(name: str) -> Iterator[Problem]:
    """Yield what the environment lacks for the location's alerts; it loads without."""
    problems: list[Problem] = []
    if (alerts := read_alerts(name, project_root(), problems)) is not None:
        yield from runtime_problems(alerts)


def _load_problem(module_name: str, error: BaseException) -> Problem:
    """Return the problem of a module that raised, at the project's own line nearest to it."""
    message = f"{module_name} cannot be loaded: {type(error).__name__}: {error}"
    root = project_root()
    if (place := error_place(error, root)) is not None:
        return Problem(display_name(place[0], root), place[1], 1, message)
    return Problem(MARKER, 0, 0, message)


def _asset(spec: dg.AssetSpec, *, produced: bool) -> AssetReport:
    file, line = declared_at(spec.metadata, project_root()) or ("", 0)
    deps = [dep.asset_key.to_user_string() for dep in spec.deps]
    return AssetReport(
        spec.key.to_user_string(),
        file,
        line,
        produced,
        deps,
        spec.group_name or "default",
        sorted(spec.kinds),
        list(spec.owners),
        describe_condition(spec.automation_condition),
        describe_freshness(spec.freshness_policy),
    )


def main() -> None:
    """Print the report of the module that the command line names."""
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as `dagster` finds modules of the project
    sys.stdout.write(report_location(sys.argv[1]).to_json())


if __name__ == "__main__":
    main()

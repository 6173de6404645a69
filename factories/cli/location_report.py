"""`python -m factories.cli.location_report MODULE ATTRIBUTE`: what a code location holds, as JSON.

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
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from factories.alerts.config import ALERTS, read_alerts, runtime_problems
from factories.cli.asset_facts import (
    ConditionFacts,
    FreshnessFacts,
    describe_condition,
    describe_freshness,
)
from factories.cli.repository_facts import (
    RepositoryFacts,
    partition_facts,
    partition_faults,
    read_repository,
)
from factories.core.assets.context import CHECK_READS, JOB_READS, READS, Origin
from factories.core.assets.specs import declared_at
from factories.core.project import MARKER, project_root
from factories.core.python_defs.error_places import error_place
from factories.core.yaml.problems import ConfigError, Problem
from factories.core.yaml.reader import display_name

# Dagster makes a stub asset of every dep that the location does not declare, with this metadata.
STUB = "dagster/auto_created_stub_asset"
TABLE = "dagster/table_name"


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
        table: The table that it makes, as its metadata names it; empty when none does.
        partitions: Its partitions, as Dagster writes them; empty without.
        mappings: How partitions of deps map to its own, where it says so.
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
    table: str = ""
    partitions: str = ""
    mappings: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> Origin:
        """Where it was declared; the workspace where nothing says it."""
        return Origin(self.file or MARKER, self.line, 1 if self.line else 0)

    def problem(self, message: str, nearest: str | None = None) -> Problem:
        """Return a problem at the place where it was declared."""
        at = self.origin
        return Problem(at.file, at.line, at.column, message, nearest=nearest)

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
        loaded: Whether its definitions are known; else all that it holds is unknown.
        reads: The assets that it says it reads.
        jobs: The names of its jobs.
        job_reads: The jobs of other locations that it waits for.
        check_reads: The assets whose tables its checks read.
        alerts: Its file of alerts; empty when it has none.
        checks: The names of the checks, by asset key.
        file: The file of its module; empty when it has none.
        needs: What its jobs and resources need of their surroundings.
    """

    assets: list[AssetReport] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    loaded: bool = True
    reads: list[ReadReport] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    job_reads: list[ReadReport] = field(default_factory=list)
    check_reads: list[ReadReport] = field(default_factory=list)
    alerts: str = ""
    checks: dict[str, list[str]] = field(default_factory=dict)
    file: str = ""
    needs: RepositoryFacts = field(default_factory=RepositoryFacts)

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> LocationReport:
        """Read a report that `to_json` wrote."""
        data = json.loads(text)
        lists_of_reads = ("reads", "job_reads", "check_reads")
        problems = [Problem(**{**p, "allowed": tuple(p["allowed"])}) for p in data["problems"]]
        return cls(
            **{
                **data,
                **{name: [ReadReport(**read) for read in data[name]] for name in lists_of_reads},
                "assets": [AssetReport.from_data(asset) for asset in data["assets"]],
                "problems": problems,
                "needs": RepositoryFacts(**data["needs"]),
            }
        )


def report_location(module_name: str, attribute: str = "defs") -> LocationReport:
    """Load a code location and describe it.

    Args:
        module_name: The module.
        attribute: What its definitions are called in it.
    """
    try:
        with _silenced():
            module = importlib.import_module(module_name)
            defs: dg.Definitions = getattr(module, attribute)
            graph = defs.resolve_asset_graph()
    except ConfigError as error:
        return LocationReport(problems=list(error.problems), loaded=False)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever is wrong with the module is the finding
        return LocationReport(problems=[_load_problem(module_name, error)], loaded=False)
    with _silenced():
        assets = _assets(defs)
        problems = list(_partition_problems(defs, assets))
        needs = _needs(module_name, defs, problems)
    checks: dict[str, list[str]] = {}
    for check in sorted(graph.asset_check_keys):
        checks.setdefault(check.asset_key.to_user_string(), []).append(check.name)
    alerts: Any = defs.metadata.get(ALERTS)
    return LocationReport(
        assets,
        [*problems, *(_alerts_problems(alerts.value) if alerts else ())],
        reads=_reads(defs, READS),
        jobs=[job.name for job in defs.jobs or ()],
        job_reads=_reads(defs, JOB_READS),
        check_reads=_reads(defs, CHECK_READS),
        alerts=alerts.value if alerts else "",
        checks=checks,
        file=display_name(Path(module.__file__), project_root()) if module.__file__ else "",
        needs=needs,
    )


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Keep what a module prints, or warns of, from mixing with the report."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        yield


def _needs(module_name: str, defs: dg.Definitions, problems: list[Problem]) -> RepositoryFacts:
    """Resolve the jobs, schedules and sensors; what is wrong with them hides no asset."""
    try:
        return read_repository(defs)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
        problems.append(_load_problem(module_name, error))
        return RepositoryFacts()


def _partition_problems(defs: dg.Definitions, assets: Sequence[AssetReport]) -> Iterator[Problem]:
    by_key = {asset.key: asset for asset in assets}
    for key, why in partition_faults(defs):
        yield by_key[key].problem(f"{key}: {why}")


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
    message = f"{module_name} cannot be loaded: {_with_causes(error)}"
    root = project_root()
    if (place := error_place(error, root)) is not None:
        return Problem(display_name(place[0], root), place[1], 1, message)
    return Problem(MARKER, 0, 0, message)


def _with_causes(error: BaseException) -> str:
    """Return what an error says, and what it was raised from: Dagster's own often say less."""
    text = f"{type(error).__name__}: {error}"
    return f"{text}: {_with_causes(error.__cause__)}" if error.__cause__ else text


def _assets(defs: dg.Definitions) -> list[AssetReport]:
    executable = defs.resolve_asset_graph().materializable_asset_keys
    return [
        _asset(spec, defs, produced=spec.key in executable)
        for spec in sorted(defs.resolve_all_asset_specs(), key=lambda spec: spec.key)
        if STUB not in spec.metadata
    ]


def _asset(spec: dg.AssetSpec, defs: dg.Definitions, *, produced: bool) -> AssetReport:
    file, line = declared_at(spec.metadata, project_root()) or ("", 0)
    table = spec.metadata.get(TABLE)
    partitions, mappings = partition_facts(defs, spec.key)
    return AssetReport(
        spec.key.to_user_string(),
        file,
        line,
        produced,
        [dep.asset_key.to_user_string() for dep in spec.deps],
        spec.group_name or "default",
        sorted(spec.kinds),
        list(spec.owners),
        describe_condition(spec.automation_condition),
        describe_freshness(spec.freshness_policy),
        "" if table is None else str(getattr(table, "value", table)),
        partitions,
        mappings,
    )


def main() -> None:
    """Print the report of the module, and its attribute, that the command line names."""
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as `dagster` finds modules of the project
    sys.stdout.write(report_location(*sys.argv[1:]).to_json())


if __name__ == "__main__":
    main()

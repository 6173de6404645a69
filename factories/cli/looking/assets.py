"""`dp ls`: the assets of the project as their code locations define them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from factories.cli.location_report import AssetReport, LocationReport
from factories.cli.workspace import read_workspace, report_locations
from factories.core.yaml.problems import Problem, sorted_problems


@dataclass(frozen=True)
class ProjectAsset:
    """An asset of one code location.

    Attributes:
        location: The code location.
        report: What the location tells of it.
        checks: The names of its asset checks, in all locations.
    """

    location: str
    report: AssetReport
    checks: tuple[str, ...]

    @property
    def key(self) -> str:
        """Its key."""
        return self.report.key

    @property
    def group(self) -> str:
        """Its group."""
        return self.report.group

    @property
    def place(self) -> str:
        """File and line where it is defined; empty when nothing says it."""
        file, line = self.report.file, self.report.line
        return f"{file}:{line}" if line else file

    def to_data(self) -> dict[str, Any]:
        """Return it as data for a machine."""
        report = self.report
        return {
            "asset": self.key,
            "group": self.group,
            "kinds": report.kinds,
            "owners": report.owners,
            "condition": asdict(report.condition) if report.condition else None,
            "location": self.location,
            "file": report.file,
            "line": report.line,
            "produced": report.produced,
        }


def read_assets(root: Path) -> tuple[list[ProjectAsset], tuple[Problem, ...]]:
    """Load every code location in its own environment.

    Returns:
        The assets of those that load, by key, and the problems of those that do not.
    """
    problems: list[Problem] = []
    locations = read_workspace(root, problems)
    reports = report_locations(root, locations)
    for report in reports.values():
        problems += report.problems
    return join_assets(reports), sorted_problems(problems)


def join_assets(reports: Mapping[str, LocationReport]) -> list[ProjectAsset]:
    """Return the assets of all locations; one that none makes as the first names it."""
    checks: dict[str, set[str]] = {}
    for report in reports.values():
        for key, names in report.checks.items():
            checks.setdefault(key, set()).update(names)
    found = [
        ProjectAsset(name, asset, tuple(sorted(checks.get(asset.key, ()))))
        for name, report in reports.items()
        for asset in report.assets
    ]
    produced = produced_ones(found)
    named = {asset.key: asset for asset in reversed(found)}
    for asset in produced:
        named.pop(asset.key, None)
    return sorted([*produced, *named.values()], key=lambda asset: (asset.key, asset.location))


def produced_ones(assets: Iterable[ProjectAsset]) -> Sequence[ProjectAsset]:
    """Return the assets that a code location makes."""
    return [asset for asset in assets if asset.report.produced]

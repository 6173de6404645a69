"""`dp check`: every YAML file, and the graph that the code locations make together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from factories.alerts.config import read_all_alerts
from factories.cli.deployment_files import agreement_problems
from factories.cli.location_report import AssetReport, LocationReport
from factories.cli.workspace import CodeLocation, read_workspace, report_locations
from factories.core.assets.context import Origin
from factories.core.project import MARKER, project_root
from factories.core.yaml.problems import Problem, nearest, sorted_problems


def check_project() -> tuple[int, list[Problem]]:
    """Validate the project.

    Returns:
        How many assets the code locations produce, and every problem, sorted by place.
    """
    root = project_root()
    problems: list[Problem] = []
    locations = read_workspace(root, problems)
    problems += agreement_problems(root, locations)
    reports = report_locations(root, locations)
    for report in reports.values():
        problems += report.problems
    # A location that did not load would make all that depends on it look wrong.
    if not problems:
        problems += joined_graph_problems(locations, reports)
        used = {report.alerts for report in reports.values()}
        problems += alerts_problems(root, [location.name for location in locations], used)
    produced = sum(asset.produced for report in reports.values() for asset in report.assets)
    return produced, list(sorted_problems(problems))


def alerts_problems(
    root: Path, locations: Sequence[str], used: Collection[str]
) -> Iterator[Problem]:
    """Yield what is wrong between the files of alerts, and the code locations.

    Args:
        root: The project folder.
        locations: The code locations' names.
        used: The files that they name.
    """
    first: str | None = None
    for alerts in read_all_alerts(root, []):
        if alerts.file.name not in used:
            message = f'no code location reads it: build_definitions(alerts="{alerts.file.name}")'
            yield Problem(alerts.file.name, 0, 0, message)
        for name, route in alerts.routes.items():
            for index, location in enumerate(route.code_locations):
                if location not in locations:
                    yield alerts.file.problem(
                        alerts.place_of(name, "code_locations", index),
                        f"there is no code location {location!r}",
                        allowed=locations,
                        nearest=nearest(location, locations),
                    )
        if alerts.settings.watch == "platform":
            if first is not None:
                message = f"{first} watches the platform already: each would tell the same"
                yield alerts.file.problem(["watch"], message)
            first = first or alerts.file.name


def joined_graph_problems(
    locations: list[CodeLocation], reports: Mapping[str, LocationReport]
) -> Iterator[Problem]:
    """Yield the keys that two locations produce, those that nothing produces, and a circle."""
    producers: dict[str, tuple[str, AssetReport]] = {}
    known: set[str] = set()
    for location in locations:
        for asset in reports[location.name].assets:
            if not asset.produced:
                known.add(asset.key)
                continue
            first = producers.setdefault(asset.key, (location.name, asset))
            if first[1] is not asset:
                yield _problem(
                    asset,
                    f"the asset key {asset.key} is produced by the location {location.name} here"
                    f" and by {first[0]} at {_origin(first[1])}",
                )
    known |= set(producers)
    jobs = {f"{name}/{job}" for name, report in reports.items() for job in report.jobs}
    for report in reports.values():
        yield from _find_unproduced(report, known)
        yield from _find_tables_not_made(report, known, producers.keys())
        yield from _find_missing_jobs(report, jobs)
    yield from _find_circle({key: asset for key, (_, asset) in sorted(producers.items())})


def _find_unproduced(report: LocationReport, known: set[str]) -> Iterator[Problem]:
    """Yield what nothing produces: where the location declares it, else where it is read."""
    declared = {read.key for read in report.reads}
    for read in report.reads:
        if read.key not in known:
            message = f"{read.key} is read here, and nothing produces it"
            meant = nearest(read.key, known)
            column = read.column if read.line else 0
            yield Problem(read.file, read.line, column, message, nearest=meant)
    for asset in report.assets:
        for dep in asset.deps:
            if dep not in known and dep not in declared:
                message = f"{asset.key} depends on {dep}, which nothing produces"
                yield _problem(asset, message, nearest=nearest(dep, known))


def _find_tables_not_made(
    report: LocationReport, known: Collection[str], produced: Collection[str]
) -> Iterator[Problem]:
    """Yield the assets that checks read, and that will never record a table."""
    for read in report.check_reads:
        if read.key not in produced:
            why = "nothing here makes a table of it" if read.key in known else "nothing produces it"
            meant = None if read.key in known else nearest(read.key, produced)
            message = f"a check reads {read.key}, and {why}"
            yield Problem(read.file, read.line, read.column, message, nearest=meant)


def _find_missing_jobs(report: LocationReport, jobs: Collection[str]) -> Iterator[Problem]:
    """Yield the jobs of other locations that are named and not there."""
    for read in report.job_reads:
        if read.key not in jobs:
            message = f"there is no job {read.key}"
            meant = nearest(read.key, jobs)
            yield Problem(read.file, read.line, read.column, message, tuple(sorted(jobs)), meant)


def _find_circle(assets: Mapping[str, AssetReport]) -> Iterator[Problem]:
    """Yield a circle of dependencies: Dagster does not see one that spans code locations."""
    # A partitioned asset may depend on itself, on its earlier partitions.
    graph = {key: [dep for dep in asset.deps if dep != key] for key, asset in assets.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        way = ", which depends on ".join(circle[1:])
        yield _problem(assets[circle[0]], f"{circle[0]} depends on {way}")


def _problem(asset: AssetReport, message: str, nearest: str | None = None) -> Problem:
    origin = _origin(asset)
    return Problem(origin.file, origin.line, origin.column, message, nearest=nearest)


def _origin(asset: AssetReport) -> Origin:
    return Origin(asset.file or MARKER, asset.line, 1 if asset.line else 0)

"""What the code locations make together: keys, what nothing produces, and circles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from factories.cli.location_report import AssetReport, LocationReport
from factories.cli.workspace import CodeLocation
from factories.core.yaml.problems import Problem, nearest


def joined_graph_problems(
    locations: Sequence[CodeLocation], reports: Mapping[str, LocationReport]
) -> Iterator[Problem]:
    """Yield the keys that two locations produce, what is read and nothing has, and a circle.

    A location that did not load may have whatever the others miss: then that is not reported.
    """
    yield from _find_second_producers(locations, reports)
    producers = find_producers(locations, reports)
    known = {asset.key for report in reports.values() for asset in report.assets}
    jobs = {f"{name}/{job}" for name, report in reports.items() for job in report.jobs}
    unknown = {name for name, report in reports.items() if not report.loaded}
    for report in reports.values():
        if not unknown:
            yield from _find_unproduced(report, known)
            yield from _find_tables_not_made(report, known, producers)
        yield from _find_missing_jobs(report, jobs, unknown)
    yield from _find_circle(producers)


def find_producers(
    locations: Sequence[CodeLocation], reports: Mapping[str, LocationReport]
) -> dict[str, AssetReport]:
    """Return the assets that are produced, by key; of two of one key, the first location's."""
    found: dict[str, AssetReport] = {}
    for location in locations:
        for asset in reports[location.name].assets:
            if asset.produced:
                found.setdefault(asset.key, asset)
    return found


def _find_second_producers(
    locations: Sequence[CodeLocation], reports: Mapping[str, LocationReport]
) -> Iterator[Problem]:
    first: dict[str, tuple[str, AssetReport]] = {}
    for location in locations:
        for asset in reports[location.name].assets:
            if not asset.produced:
                continue
            name, other = first.setdefault(asset.key, (location.name, asset))
            if other is not asset:
                yield asset.problem(
                    f"the asset key {asset.key} is produced by the location {location.name} here"
                    f" and by {name} at {other.origin}"
                )


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
                yield asset.problem(message, nearest=nearest(dep, known))


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


def _find_missing_jobs(
    report: LocationReport, jobs: Collection[str], unknown: Collection[str]
) -> Iterator[Problem]:
    """Yield the jobs of other locations that are named and not there."""
    for read in report.job_reads:
        if read.key not in jobs and read.key.partition("/")[0] not in unknown:
            message = f"there is no job {read.key}"
            meant = nearest(read.key, jobs)
            yield Problem(read.file, read.line, read.column, message, tuple(sorted(jobs)), meant)


def _find_circle(assets: Mapping[str, AssetReport]) -> Iterator[Problem]:
    """Yield a circle of dependencies: Dagster does not see one that spans code locations."""
    # A partitioned asset may depend on itself, on its earlier partitions.
    graph = {
        key: [dep for dep in asset.deps if dep != key] for key, asset in sorted(assets.items())
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        way = ", which depends on ".join(circle[1:])
        yield assets[circle[0]].problem(f"{circle[0]} depends on {way}")

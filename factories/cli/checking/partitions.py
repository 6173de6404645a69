"""Partitions of assets that depend on each other, in any code location."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from factories.cli.location_report import AssetReport, LocationReport
from factories.core.dagster_internals import find_partition_fault
from factories.core.project import MARKER
from factories.core.yaml.problems import Problem, nearest


def partition_problems(
    producers: Mapping[str, AssetReport], reports: Mapping[str, LocationReport]
) -> Iterator[Problem]:
    """Yield the assets and checks whose partitions do not fit those of what they depend on.

    Dagster's own validation refuses the whole workspace for one.

    Args:
        producers: The assets that are produced, by key.
        reports: Of the code locations.
    """
    yield from _of_assets(producers)
    yield from _of_checks(producers, reports)


def _of_assets(producers: Mapping[str, AssetReport]) -> Iterator[Problem]:
    for _, asset in sorted(producers.items()):
        for dep in asset.deps:
            upstream = producers.get(dep)
            if upstream is None or not upstream.partitions:
                continue
            mapping = asset.mappings.get(dep, "")
            if why := find_partition_fault(mapping, upstream.partitions, asset.partitions):
                yield asset.problem(
                    f"the partitions of {asset.key} do not fit those of {dep}, which it depends on"
                    f" ({upstream.origin}): {why}"
                )


def _of_checks(
    producers: Mapping[str, AssetReport], reports: Mapping[str, LocationReport]
) -> Iterator[Problem]:
    """Yield the checks of other locations' assets; a location that did not load may have any."""
    declared = {asset.key for report in reports.values() for asset in report.assets}
    all_loaded = all(report.loaded for report in reports.values())
    for report in reports.values():
        for key, checks in report.needs.check_partitions.items():
            for name, partitions in checks.items():
                message = ""
                if (asset := producers.get(key)) is not None:
                    if partitions != asset.partitions:
                        message = f"the check {name} has other partitions than {key}"
                        message += f" ({asset.origin}), which it is about"
                elif key not in declared and all_loaded:
                    message = f"the check {name} is about {key}, which nothing produces"
                if message:
                    near = None if key in producers else nearest(key, producers)
                    yield Problem(report.file or MARKER, 0, 0, message, nearest=near)

"""Partitions of assets that depend on each other, in any code location."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from factories.cli.location_report import AssetReport
from factories.core.dagster_internals import find_partition_fault
from factories.core.yaml.problems import Problem


def partition_problems(producers: Mapping[str, AssetReport]) -> Iterator[Problem]:
    """Yield the assets whose partitions cannot be mapped to those of what they depend on.

    Args:
        producers: The assets that are produced, by key.
    """
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

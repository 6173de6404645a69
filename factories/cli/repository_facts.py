"""What a code location's repository holds beyond its assets, as Dagster resolves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from factories.core.assets.lazy_resources import is_lazy_resource
from factories.core.dagster_internals import (
    check_repository,
    describe_mapping,
    describe_partitions,
)


@dataclass(frozen=True)
class RepositoryFacts:
    """What the jobs and resources of a code location need of its surroundings.

    Attributes:
        pools: The pools that its ops take, each with an asset of it, or empty text.
        resource_variables: The environment variables that its resources read, and which do.
        uses_warehouse: Whether anything that it runs needs the target's warehouse.
        check_partitions: The partitions of checks whose assets other locations make, by asset and
            check, as Dagster writes them.
    """

    pools: dict[str, str] = field(default_factory=dict)
    resource_variables: dict[str, list[str]] = field(default_factory=dict)
    uses_warehouse: bool = False
    check_partitions: dict[str, dict[str, str]] = field(default_factory=dict)


def read_repository(defs: dg.Definitions) -> RepositoryFacts:
    """Resolve everything that a code server resolves, and return what it needs.

    Raises:
        Exception: Whatever is wrong with a job, schedule, sensor or asset; Dagster tells the first.
    """
    repository = defs.get_repository_def()
    check_repository(repository)
    jobs = repository.get_all_jobs()
    used = {name: r for job in jobs for name, r in job.get_required_resource_defs().items()}
    variables = repository.get_env_vars_by_top_level_resource().items()
    return RepositoryFacts(
        _pools(defs, jobs),
        {name: sorted(needed) for name, found in variables if (needed := found & used.keys())},
        any(is_lazy_resource(resource) for resource in used.values()),
        _foreign_check_partitions(defs),
    )


def _pools(defs: dg.Definitions, jobs: Any) -> dict[str, str]:
    pools = {pool: "" for job in jobs for pool in job.graph.pools}
    graph = defs.resolve_asset_graph()
    for key in sorted(graph.materializable_asset_keys, reverse=True):
        pools |= dict.fromkeys(graph.get(key).pools or (), key.to_user_string())
    return dict(sorted(pools.items()))


def partition_faults(defs: dg.Definitions) -> Iterator[tuple[str, str]]:
    """Yield the assets whose own partitions, or those of a check, are wrong, and why."""
    graph = defs.resolve_asset_graph()
    for key in sorted(graph.materializable_asset_keys):
        if (partitions := graph.get(key).partitions_def) is not None:
            try:
                partitions.validate_partition_definition()
            except Exception as error:  # noqa: BLE001 - each kind has its own
                yield key.to_user_string(), f"its partitions cannot be used: {error}"
    for check in sorted(graph.asset_check_keys):
        partitions = graph.get(check).partitions_def
        if partitions is None or check.asset_key not in graph.materializable_asset_keys:
            continue
        if partitions != graph.get(check.asset_key).partitions_def:
            why = f"its check {check.name} has other partitions than it"
            yield check.asset_key.to_user_string(), why


def _foreign_check_partitions(defs: dg.Definitions) -> dict[str, dict[str, str]]:
    graph = defs.resolve_asset_graph()
    found: dict[str, dict[str, str]] = {}
    for check in sorted(graph.asset_check_keys):
        partitions = graph.get(check).partitions_def
        if partitions is not None and check.asset_key not in graph.materializable_asset_keys:
            of_asset = found.setdefault(check.asset_key.to_user_string(), {})
            of_asset[check.name] = describe_partitions(partitions)
    return found


def partition_facts(defs: dg.Definitions, key: dg.AssetKey) -> tuple[str, dict[str, str]]:
    """Return an asset's partitions and how those of its deps map to them, for another process.

    Partitions that cannot be told are empty: `read_repository` refuses them.
    """
    node = defs.resolve_asset_graph().get(key)
    mappings = {
        parent.to_user_string(): text
        for parent, mapping in node.partition_mappings.items()
        if (text := describe_mapping(mapping))
    }
    try:
        return describe_partitions(node.partitions_def) if node.partitions_def else "", mappings
    except dg.DagsterInvalidDefinitionError:
        return "", mappings

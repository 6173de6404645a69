"""What every tool's assets have in common: their specs, and how they share steps."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import dagster as dg

from factories.automation import Condition
from factories.freshness import freshness_policy
from factories.keys import key_part, parse_key
from factories.partitions import PartitionSpec, partitions_definition
from factories.spec import DagsterMeta

ItemT = TypeVar("ItemT")


@dataclass(frozen=True)
class StepGroup(Generic[ItemT]):
    """What one step of Dagster runs: it has one kind of partitions and one pool.

    Attributes:
        name: The op's name, unique in the code location.
        partition: Without the column, which is each item's own affair.
        pool: The concurrency pool.
        items: In the file's order.
    """

    name: str
    partition: PartitionSpec | None
    pool: str
    items: tuple[ItemT, ...]


def step_groups(
    tool: str, file: str, items: Iterable[ItemT], meta: Callable[[ItemT], DagsterMeta]
) -> Iterator[StepGroup[ItemT]]:
    """Group a file's items into steps, by partitions and pool.

    Args:
        tool: `sling`, `dlt`, …; the file's own pool is `<tool>_<file>`.
        file: The file's name without its ending.
        items: Streams, resources, …
        meta: Gives an item's `meta.dagster` block.
    """
    groups: dict[tuple[PartitionSpec | None, str], list[ItemT]] = defaultdict(list)
    own_pool = f"{tool}_{key_part(file)}"
    for item in items:
        block = meta(item)
        shared = block.partition and block.partition.model_copy(update={"column": None})
        groups[shared, block.pool or own_pool].append(item)
    for (partition, pool), members in groups.items():
        parts = [tool, key_part(file)]
        if partition:
            # Two groups of one file may differ in any setting of their partitions.
            digest = hashlib.sha256(partition.model_dump_json().encode()).hexdigest()
            parts += [partition.type, digest[:6]]
        if pool != own_pool:
            parts.append(key_part(pool))
        yield StepGroup("__".join(parts), partition, pool, tuple(members))


def asset_spec(
    key: dg.AssetKey,
    meta: DagsterMeta,
    condition: Condition | None,
    *,
    deps: Iterable[dg.AssetKey],
    group: str,
    kinds: set[str],
    metadata: Mapping[str, Any],
    code_version: str,
    description: str | None = None,
    skippable: bool = False,
) -> dg.AssetSpec:
    """Return the spec that a `meta.dagster` block describes.

    Args:
        key: The asset.
        meta: Its block; wins over `description`, `group` and `kinds`.
        condition: Dagster's automation condition, None for never.
        deps: The assets that the tool's own lineage gives; the block's are added.
        group: The group when the block names none.
        kinds: The kinds when the block names none.
        metadata: What the tool tells.
        code_version: Changes when the asset's own config does.
        description: The tool's own.
        skippable: Whether a run may leave it as it is.
    """
    return dg.AssetSpec(
        key,
        deps=[*deps, *(parse_key(dep) for dep in meta.deps)],
        description=meta.description or description,
        metadata=metadata,
        group_name=meta.group or group,
        code_version=code_version,
        automation_condition=condition,
        owners=list(meta.owners),
        tags=meta.tags,
        kinds=set(meta.kinds) if meta.kinds is not None else kinds,
        freshness_policy=freshness_policy(meta.freshness),
        partitions_def=partitions_definition(meta.partition) if meta.partition else None,
        skippable=skippable,
    )


def code_reference(path: Path, line: int) -> dg.CodeReferencesMetadataValue:
    """Return the place in YAML that the UI links an asset to."""
    return code_references([(path, line)])


def code_references(places: Iterable[tuple[Path, int]]) -> dg.CodeReferencesMetadataValue:
    """Return the places, a file and its line each, that the UI links an asset to."""
    return dg.CodeReferencesMetadataValue(
        code_references=[
            dg.LocalFileCodeReference(
                file_path=str(path), line_number=line, label=f"{path.name}:{line}"
            )
            for path, line in places
        ]
    )

"""Groups the assets of one file into Dagster steps."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.meta.keys import key_part
from factories.core.meta.names import dagster_name
from factories.core.meta.partitions import PartitionSpec

ItemT = TypeVar("ItemT")


@dataclass(frozen=True)
class StepGroup(Generic[ItemT]):
    """The assets that one Dagster step materializes: they share partitions and a pool.

    Attributes:
        name: The op's name, unique in the code location.
        partition: Without the column, which is each item's own matter.
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
            # `a/b` and `a_b` are two pools, and two steps.
            parts.append(dagster_name(pool))
        yield StepGroup("__".join(parts), partition, pool, tuple(members))

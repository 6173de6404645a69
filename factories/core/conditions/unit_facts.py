"""The units of assets: an asset without partitions is one, of others each partition is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.asset_graph_view.entity_subset import EntitySubset
from dagster._core.definitions.assets.graph.asset_graph import executable_in_same_run

from factories.core.conditions.memory import WHOLE

if TYPE_CHECKING:
    from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView

Key = dg.AssetKey | dg.AssetCheckKey
Subset = EntitySubset[Any]


class UnitFacts:
    """The assets of an evaluation, their units, and what these are made of.

    Attributes:
        view: Dagster's view of the asset graph, which lives as long as the evaluation.
        graph: The assets and checks of all code locations.
        now: The evaluation's time; seconds since 1970.
    """

    def __init__(self, view: AssetGraphView) -> None:
        """Take the view of the evaluation."""
        self.view = view
        self.graph = view.asset_graph
        self.now = view.effective_dt.timestamp()
        self._queries = view.get_inner_queryer_for_back_compat()

    def parents(self, key: Key) -> list[dg.AssetKey]:
        """Return the upstream assets of an asset or check that are in the graph, by name."""
        found = self.graph.get(key).parent_entity_keys
        return sorted(one for one in found if isinstance(one, dg.AssetKey) and one != key)

    def units(self, subset: Subset) -> Iterable[str]:
        """Return the units that a subset of an asset holds."""
        if not subset.is_partitioned:
            return [] if subset.is_empty else [WHOLE]
        keys: Iterable[str] = subset.expensively_compute_partition_keys()
        return sorted(keys)

    def subset(self, key: Key, units: Iterable[str]) -> Subset:
        """Return the subset of an asset that holds some units."""
        units = set(units)
        if not units:
            return self.view.get_empty_subset(key=key)
        if WHOLE in units:
            return self.view.get_full_subset(key=key)
        return self.view.get_subset_from_partition_keys(
            key, self._partitions(key), {unit for unit in units if self.exists(key, unit)}
        )

    def _partitions(self, key: Key) -> Any:
        return self.graph.get(key).partitions_def

    def exists(self, key: Key, unit: str) -> bool:
        """Tell whether an asset has a unit: its partitions may have changed since."""
        partitions = self._partitions(key)
        if partitions is None or unit == WHOLE:
            return bool(unit == WHOLE and partitions is None)
        return bool(partitions.has_partition_key(unit))

    def upstream_units(self, child: Key, unit: str, parent: dg.AssetKey) -> list[str]:
        """Return the units of an upstream asset that a unit of a downstream one is made of.

        One without partitions is made of all that is there, so the whole stands for it.
        """
        if unit == WHOLE or self._partitions(parent) is None:
            return [WHOLE]
        subset = self.subset(child, [unit]).compute_mapped_subset(parent, direction="up")
        return list(self.units(subset))

    def requested_together(
        self, parent: dg.AssetKey, child: Key, requested: Subset | None
    ) -> set[str]:
        """Return the units of an upstream asset that this evaluation asks for, for the same run.

        Assets of one code location with the same partitions run in one run, one after the other.
        """
        if requested is None or requested.is_empty:
            return set()
        if not self.graph.get(parent).is_materializable:
            return set()
        if not executable_in_same_run(self.graph, child, parent):
            return set()
        return set(self.units(requested))

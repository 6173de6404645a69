"""What a code location knows of its assets: owners, where they are declared, what lies upstream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import dagster as dg

from factories.core.assets.specs import declared_at
from factories.core.dagster_internals import parse_selection
from factories.core.meta.keys import parse_key

if TYPE_CHECKING:
    from pathlib import Path


def select_assets(text: str, graph: Any) -> frozenset[dg.AssetKey]:
    """Return the assets of a graph that a selection names; none where there is no such asset."""
    return frozenset(parse_selection(text).resolve(graph, allow_missing=True))


class AssetCatalog:
    """The asset graph of one code location."""

    def __init__(self, repository: dg.RepositoryDefinition, root: Path) -> None:
        """Take the location's definitions.

        Args:
            repository: As Dagster gives it to a sensor.
            root: The project folder.
        """
        self._repository = repository
        self._graph: Any = repository.asset_graph
        self._root = root
        self._selected: dict[str, frozenset[str]] = {}

    @cached_property
    def _keys(self) -> frozenset[dg.AssetKey]:
        return frozenset(self._graph.get_all_asset_keys())

    @cached_property
    def instigators(self) -> frozenset[str]:
        """The names of the location's sensors and schedules."""
        sensors = {sensor.name for sensor in self._repository.sensor_defs}
        return frozenset(sensors | {each.name for each in self._repository.schedule_defs})

    def has_check(self, key: dg.AssetCheckKey) -> bool:
        """Tell whether the location defines a check; others may know its asset too."""
        return key in self._graph.asset_check_keys

    def owners(self, assets: Iterable[str]) -> tuple[str, ...]:
        """Return who owns some of the assets."""
        return tuple(sorted({owner for node in self._nodes(assets) for owner in node.owners}))

    @cached_property
    def all_owners(self) -> frozenset[str]:
        """Who owns anything here."""
        return frozenset(self.owners(key.to_user_string() for key in self._keys))

    def place(self, assets: Sequence[str]) -> str:
        """Return the file and line where the first of some assets is declared; empty if unknown."""
        for node in self._nodes(assets):
            if found := declared_at(node.metadata, self._root):
                return f"{found[0]}:{found[1]}" if found[1] else found[0]
        return ""

    def held_back(self, failing: Mapping[str, str]) -> dict[str, str]:
        """Return what lies downstream of failed assets, each with the asset that is to blame.

        Args:
            failing: Assets that have failed, here or in other code locations, each with what is to
                blame for it: itself, or what holds it back.
        """
        found: dict[str, str] = {}
        left = [(parse_key(asset), culprit) for asset, culprit in sorted(failing.items())]
        while left:
            key, culprit = left.pop()
            for child in self._graph.get(key).child_keys if key in self._keys else ():
                if (name := child.to_user_string()) not in found:
                    found[name] = culprit
                    left.append((child, culprit))
        return found

    def select(self, selection: str) -> frozenset[str]:
        """Return the assets that a selection names, such as `group:sales`."""
        if selection not in self._selected:
            found = select_assets(selection, self._graph)
            self._selected[selection] = frozenset(key.to_user_string() for key in found)
        return self._selected[selection]

    def with_freshness(self) -> list[dg.AssetKey]:
        """Return the assets that have a freshness policy."""
        keys: list[dg.AssetKey] = []
        for key in sorted(self._keys):
            node = self._graph.get(key)
            if node.freshness_policy_or_from_metadata is not None:
                keys.append(key)
        return keys

    def freshness_text(self, asset: str) -> str:
        """Return what an asset's freshness policy asks for."""
        policy = self._graph.get(parse_key(asset)).freshness_policy_or_from_metadata
        if hasattr(policy, "deadline_cron"):
            within = policy.lower_bound_delta
            return f"not updated within {within} before its deadline, {policy.deadline_cron!r}"
        return f"not updated for more than {policy.fail_window.to_timedelta()}"

    def _nodes(self, assets: Iterable[str]) -> Iterable[Any]:
        for asset in assets:
            if (key := parse_key(asset)) in self._keys:
                yield self._graph.get(key)

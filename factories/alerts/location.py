"""The alerts of a code location, as `build_definitions` takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from factories.alerts.catalog import select_assets
from factories.alerts.config import ALERTS, Alerts, read_alerts
from factories.alerts.sensor import alerts_sensor
from factories.core.yaml.problems import Problem, nearest


@dataclass(frozen=True)
class LocationAlerts:
    """What a file of alerts adds to a code location."""

    alerts: Alerts

    def sensors(self) -> list[dg.SensorDefinition]:
        """Return the sensor that sends them."""
        return [alerts_sensor(self.alerts)]

    def metadata(self) -> dict[str, str]:
        """Return the metadata by which `dp check` knows the file."""
        return {ALERTS: self.alerts.file.name}

    def problems(self, definitions: dg.Definitions) -> Iterator[Problem]:
        """Yield owners and selections that concern nothing in the code location.

        A route for one that is misspelt would be silent for ever.
        """
        graph: Any = None
        for name, route in self.alerts.routes.items():
            if not (route.owners or route.assets) or route.code_locations:
                continue
            graph = graph or definitions.resolve_asset_graph()
            at: list[str | int] = ["routes", name]
            if route.assets and not select_assets(route.assets, graph):
                message = f"assets: {route.assets!r} selects no asset of this code location"
                keys = [key.to_user_string() for key in graph.get_all_asset_keys()]
                word = route.assets.partition(":")[2].strip('"*+ ')
                yield self.alerts.file.problem(
                    [*at, "assets"], message, nearest=nearest(word, keys)
                )
            known = {owner for key in graph.get_all_asset_keys() for owner in graph.get(key).owners}
            for index, owner in enumerate(route.owners):
                if owner not in known:
                    yield self.alerts.file.problem(
                        self.alerts.place_of(name, "owners", index),
                        f"no asset of this code location has the owner {owner!r}",
                        allowed=sorted(known),
                        nearest=nearest(owner, known),
                    )


def read_location_alerts(name: str, root: Path, problems: list[Problem]) -> LocationAlerts | None:
    """Read a code location's file of alerts; None, and its mistakes, when it has any."""
    alerts = read_alerts(name, root, problems)
    return LocationAlerts(alerts) if alerts else None

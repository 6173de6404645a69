"""Which routes an incident takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from factories.alerts.incidents import Incident
from factories.alerts.models import SEVERITIES, Route

Select = Callable[[str], frozenset[str]]


def routes_of(
    incident: Incident, routes: Mapping[str, Route], target: str, select: Select
) -> list[str]:
    """Return the names of the routes that tell of an incident.

    A fallback takes only what no other route takes.

    Args:
        incident: What went wrong.
        routes: Of the code location's file.
        target: The target of this process.
        select: Returns the assets that a selection names.
    """
    taking = [name for name, route in routes.items() if _takes(route, incident, target, select)]
    specific = [name for name in taking if not routes[name].fallback]
    return specific or taking


def _takes(route: Route, incident: Incident, target: str, select: Select) -> bool:
    return (
        (not route.targets or target in route.targets)
        and not {*route.tells}.isdisjoint(incident.events)
        and SEVERITIES.index(incident.severity) >= SEVERITIES.index(route.severity)
        and (not route.code_locations or incident.location in route.code_locations)
        and (not route.owners or not {*route.owners}.isdisjoint(incident.owners))
        and (route.assets is None or not select(route.assets).isdisjoint(incident.assets))
    )

"""What must hold between the files of alerts and the code locations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from factories.alerts.config import read_all_alerts, runtime_problems
from factories.core.yaml.problems import Problem, nearest


def alerts_problems(
    root: Path, locations: Sequence[str], used: Collection[str], *, all_loaded: bool = True
) -> Iterator[Problem]:
    """Yield what is wrong between the files of alerts, and the code locations.

    Args:
        root: The project folder.
        locations: The code locations' names.
        used: The files that they name.
        all_loaded: Whether each of them loaded; one that did not may name any file.
    """
    first: str | None = None
    for alerts in read_all_alerts(root, []):
        if alerts.file.name not in used:
            if all_loaded:
                message = (
                    f'no code location reads it: build_definitions(alerts="{alerts.file.name}")'
                )
                yield Problem(alerts.file.name, 0, 0, message)
            else:
                yield from runtime_problems(alerts)
        for name, route in alerts.routes.items():
            for index, location in enumerate(route.code_locations):
                if location not in locations:
                    yield alerts.file.problem(
                        alerts.place_of(name, "code_locations", index),
                        f"there is no code location {location!r}",
                        allowed=locations,
                        nearest=nearest(location, locations),
                    )
        if alerts.settings.watch == "platform":
            if first is not None:
                message = f"{first} watches the platform already: each would tell the same"
                yield alerts.file.problem(["watch"], message)
            first = first or alerts.file.name

"""Reading an `alerts.yaml`, and what must hold between it and its code location."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from factories.alerts.models import OF_THE_PLATFORM, AlertsFile, Route
from factories.core.dagster_internals import parse_selection
from factories.core.yaml.models import SourceMap, validate
from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import YamlFile, display_name, read_yaml
from factories.core.yaml.variables import VARIABLE, target

ALERTS = "dp/alerts"  # the metadata of a location's definitions that names its file
FILE_NAME = "alerts.yaml"


@dataclass(frozen=True)
class Alerts:
    """The alerts of one code location.

    Attributes:
        file: The YAML file.
        settings: Its content, validated.
    """

    file: YamlFile
    settings: AlertsFile

    @property
    def routes(self) -> Mapping[str, Route]:
        """Each route by its name."""
        return self.settings.routes

    @cached_property
    def variables(self) -> set[str]:
        """The environment variables that hold addresses."""
        return {VARIABLE.sub(r"\1", text) for route in self.routes.values() for text in route.to}

    def active_routes(self) -> dict[str, Route]:
        """Return the routes that hold on this process's target."""
        here = target()
        return {
            name: route
            for name, route in self.routes.items()
            if not route.targets or here in route.targets
        }

    def place_of(self, route: str, key: str, index: int) -> list[str | int]:
        """Return the path in the file of one of a route's names, which may be written alone."""
        alone = isinstance(self.file.data["routes"][route][key], str)
        return ["routes", route, key, *(() if alone else (index,))]

    def base_url(self, environ: Mapping[str, str] = os.environ) -> str:
        """Return the address of Dagster's UI; its default where a variable is not set."""
        text = self.settings.base_url
        if any(name not in environ for name in VARIABLE.findall(text)):
            return str(AlertsFile.model_fields["base_url"].default)
        return VARIABLE.sub(lambda match: environ[match[1]], text)


def read_alerts(name: str, root: Path, problems: list[Problem]) -> Alerts | None:
    """Read an `alerts.yaml`.

    Args:
        name: The file, relative to the project folder.
        root: The project folder.
        problems: Receives every mistake.

    Returns:
        None when there is one.
    """
    path = root / name
    if not path.is_file():
        missing = "the file does not exist"
        problems.append(Problem(display_name(path, root), 0, 0, missing))
        return None
    found: list[Problem] = []
    file = read_yaml(path, root=root, problems=found, holds="routes")
    settings = validate(AlertsFile, file.data, SourceMap(file, []), found) if file else None
    if file and settings:
        found += _selection_mistakes(file, settings)
        found += _platform_mistakes(Alerts(file, settings))
    problems += found
    return Alerts(file, settings) if file and settings and not found else None


def read_all_alerts(root: Path, problems: list[Problem]) -> list[Alerts]:
    """Return the alerts of every code location, from `code_locations/<location>/alerts.yaml`."""
    paths = sorted(root.glob(f"code_locations/*/{FILE_NAME}"))
    found = [read_alerts(display_name(path, root), root, problems) for path in paths]
    return [alerts for alerts in found if alerts is not None]


def _selection_mistakes(file: YamlFile, settings: AlertsFile) -> Iterator[Problem]:
    for name, route in settings.routes.items():
        if route.assets is None:
            continue
        try:
            parse_selection(route.assets)
        except ValueError as error:
            text = " ".join(str(error).split()).partition(" expecting {")[0]
            yield file.problem(["routes", name, "assets"], f"assets: {text}")


def _platform_mistakes(alerts: Alerts) -> Iterator[Problem]:
    """Yield events that are not watched, and what is watched and no route takes."""
    watches = alerts.settings.watch == "platform"
    takes = False
    for name, route in alerts.routes.items():
        takes |= not (OF_THE_PLATFORM.isdisjoint(route.tells) or route.owners or route.assets)
        for index, event in enumerate(route.events or ()):
            if event in OF_THE_PLATFORM and not watches:
                message = f"{event} is only told with watch: platform"
                yield alerts.file.problem(alerts.place_of(name, "events", index), message)
    if watches and not takes:
        message = "watch: platform, and no route takes what it adds: it concerns no asset or owner"
        yield alerts.file.problem(["watch"], message)


def runtime_problems(alerts: Alerts, environ: Mapping[str, str] = os.environ) -> Iterator[Problem]:
    """Yield what the environment lacks for the routes of this target: `dp check` tells it.

    A code location loads without it; its sensor says which channels it cannot reach.
    """
    from factories.alerts.delivery import addresses  # noqa: PLC0415 - imports apprise

    for name, route in alerts.active_routes().items():
        unusable = {each.variable: each.problem for each in addresses(name, route, environ)}
        for index, text in enumerate(route.to):
            variable = VARIABLE.sub(r"\1", text)
            if not (problem := unusable.get(variable)):
                continue
            at = alerts.place_of(name, "to", index)
            near, missing = None, ""
            if variable not in environ:
                problem = f"{problem} in the environment, and the target {target()} needs it"
                near, missing = nearest(variable, environ), variable
            yield alerts.file.problem(at, problem, nearest=near, variable=missing)
    for variable in VARIABLE.findall(alerts.settings.base_url):
        if variable not in environ and alerts.active_routes():
            yield alerts.file.problem(
                ["base_url"],
                f"${{{variable}}} is not defined in the environment",
                nearest=nearest(variable, environ),
                variable=variable,
            )

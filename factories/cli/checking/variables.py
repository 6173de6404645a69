"""Environment variables that the target needs and that are not set; never their values."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from factories.cli.location_report import LocationReport
from factories.core.project import MARKER
from factories.core.warehouse.settings import missing_settings
from factories.core.yaml.problems import Problem, nearest, sorted_problems
from factories.core.yaml.variables import target


def missing_variables(
    reports: Mapping[str, LocationReport], environ: Mapping[str, str] = os.environ
) -> Iterator[Problem]:
    """Yield what the warehouse of the target needs, and what the locations' resources read.

    The variables of YAML are reported where it is read.
    """
    users = [name for name, report in reports.items() if report.needs.uses_warehouse]
    for name in missing_settings(environ) if users else ():
        message = (
            f"{name} is not defined in the environment, and the target {target(environ)} needs it"
            f" for {', '.join(users)}"
        )
        yield Problem(MARKER, 0, 0, message, variable=name.partition(" ")[0])
    for report in reports.values():
        for name, resources in report.needs.resource_variables.items():
            if name in environ:
                continue
            word = "resource" if len(resources) == 1 else "resources"
            message = (
                f"{name} is not defined in the environment, and the {word} {', '.join(resources)}"
                f" need{'s' if len(resources) == 1 else ''} it"
            )
            near = nearest(name, environ)
            yield Problem(report.file or MARKER, 0, 0, message, nearest=near, variable=name)


def name_each_variable_once(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems, and for each variable only the first, with the other places."""
    others: dict[str, list[Problem]] = {}
    found: list[Problem] = []
    for problem in sorted_problems(problems):
        if problem.variable and problem.variable in others:
            others[problem.variable].append(problem)
            continue
        if problem.variable:
            others[problem.variable] = []
        found.append(problem)
    return [_with_places(problem, others.get(problem.variable, [])) for problem in found]


def _with_places(problem: Problem, others: Iterable[Problem]) -> Problem:
    places = dict.fromkeys(f"{p.file}:{p.line}" if p.line else p.file for p in others)
    if not places:
        return problem
    return replace(problem, message=f"{problem.message}; also needed at {', '.join(places)}")

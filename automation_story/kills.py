"""What is killed in the middle of an automated run of the demo, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psutil

from automation_story.served import ServedProject
from kill_matrix import cases
from kill_matrix.processes import command_line, find_victims, processes_of

INGESTION, TRANSFORMATION = "ingestion", "transformation"
PROGRAMS = {INGESTION: cases.SLING, TRANSFORMATION: cases.DBT}
BUILD = "build"  # and not a test, or a look at the freshness of sources
NOBODY = 0  # there is no `dp run`


@dataclass(frozen=True)
class Kill:
    """One kill.

    Attributes:
        what: What is killed, in words.
        location: The code location whose run is under way.
        victims: Finds what is killed, by the program of the step that is under way.
    """

    what: str
    location: str
    victims: Callable[[ServedProject, psutil.Process], list[psutil.Process]]

    def programs(self, project: ServedProject) -> list[psutil.Process]:
        """The program of the step that is under way: Sling's, or a build of dbt; else none."""
        found = find_victims(PROGRAMS[self.location], project.local, NOBODY)
        if self.location == INGESTION:
            return found
        return [each for each in found if BUILD in command_line(each).split()]


def _step(_project: ServedProject, program: psutil.Process) -> list[psutil.Process]:
    parent = program.parent()
    return [parent] if parent else []


def _of_kind(
    victim: str,
) -> Callable[[ServedProject, psutil.Process], list[psutil.Process]]:
    return lambda project, _: find_victims(victim, project.local, NOBODY)


def _code_server(
    location: str, *, with_runs: bool = False
) -> Callable[[ServedProject, psutil.Process], list[psutil.Process]]:
    texts = ("api grpc", f"--location-name {location}")

    def find(project: ServedProject, _program: psutil.Process) -> list[psutil.Process]:
        servers = [
            each
            for each in processes_of(project.local)
            if all(text in command_line(each) for text in texts)
        ]
        workers = find_victims(cases.WORKER, project.local, NOBODY) if with_runs else []
        return [*servers, *(each for each in workers if each.parent() in servers)]

    return find


KILLS = (
    Kill("the process of Sling's step", INGESTION, _step),
    Kill("the process of a step of dbt", TRANSFORMATION, _step),
    Kill("the source database", INGESTION, _of_kind(cases.SOURCE)),
    Kill("the embedded warehouse", TRANSFORMATION, _of_kind(cases.WAREHOUSE)),
    Kill("the code server of ingestion", INGESTION, _code_server(INGESTION)),
    Kill(
        "the code server of transformation, and with it the process of the run",
        TRANSFORMATION,
        _code_server(TRANSFORMATION, with_runs=True),
    ),
)
# With it, `dp dev` ends.
DAEMON = Kill("Dagster's daemon", TRANSFORMATION, _of_kind(cases.DAEMON))

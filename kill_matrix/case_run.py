"""Runs one case: a load that is killed in its midst, and a plain rerun."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from kill_matrix.cases import DP, Case
from kill_matrix.compare import Row, as_text, compare
from kill_matrix.gates import closed_gate
from kill_matrix.limits import LIMIT_SECONDS, SECONDS_LEFT
from kill_matrix.outcomes import Outcome
from kill_matrix.place import Ended, Place
from kill_matrix.processes import find_victims, wait_for_the_end
from kill_matrix.projects import PROJECTS
from kill_matrix.projects.project import Work

Reference = dict[str, list[Row]]


def make_place(tool: str, folder: Path) -> tuple[Place, Reference]:
    """Make the place of a tool's project, and the tables of a run that nothing disturbed."""
    place = Place(folder, PROJECTS[tool])
    place.make()
    kept = folder / "reference.json"
    if not kept.is_file():
        kept.write_text(json.dumps(_load_undisturbed(place)), encoding="utf-8")
    found = json.loads(kept.read_text(encoding="utf-8"))
    return place, {name: [tuple(row) for row in rows] for name, rows in found.items()}


def run_case(case: Case, place: Place, reference: Reference) -> Outcome:
    """Kill what the case names, run the same command again, and compare."""
    work = place.project.work(case.work)
    place.begin()
    with place.systems():
        place.change()
        with closed_gate(case, work, place) as gate:
            command = place.start(work.key)
            reached = gate.wait(command.has_ended, LIMIT_SECONDS)
            killed = _kill(case, place, command.process.pid)
            at = time.monotonic()
        first = command.wait()
        since = time.monotonic() - at
        left = wait_for_the_end(place.local, SECONDS_LEFT)
        # Nobody runs again what has succeeded, where that adds a row.
        is_done = work.each_run_adds and first.status == 0
        again = first if is_done else place.start(work.key).wait()
        left += wait_for_the_end(place.local, SECONDS_LEFT)
        difference = compare(_read(place, work), reference[work.name])
        stuck = [*_without_end(first, "the first command"), *_without_end(again, "the rerun")]
        stuck += place.stuck()
    return Outcome(
        case=case,
        day=datetime.now(UTC).date().isoformat(),
        reached=reached and killed,
        first_status=first.status,
        first_seconds=first.seconds,
        first_said=first.said if case.victim != DP else "",
        seconds_after_kill=since,
        rerun_status=again.status,
        rerun_seconds=again.seconds,
        rerun_said=again.said if again.status else "",
        lost=difference.lost,
        doubled=difference.doubled,
        same=difference.same,
        stuck=stuck,
        left=left,
    )


def _kill(case: Case, place: Place, dp: int) -> bool:
    """Kill; return whether there was something to kill."""
    victims = find_victims(case.victim, place.local, dp)
    for process in victims:
        with suppress(psutil.NoSuchProcess):  # it ended with another of them
            process.kill()
    return bool(victims)


def _load_undisturbed(place: Place) -> Reference:
    place.begin()
    with place.systems():
        place.change()
        ended = place.start(*(work.key for work in place.project.works)).wait()
        if ended.status != 0:
            raise RuntimeError(f"the reference of {place.project.tool} fails: {ended.said}")
        return {work.name: _read(place, work) for work in place.project.works}


def _read(place: Place, work: Work) -> list[Row]:
    columns = ", ".join(work.columns)
    return as_text(place.rows(f"select {columns} from {work.table}"))


def _without_end(ended: Ended, what: str) -> list[str]:
    return [] if ended.status is not None else [f"{what} did not end within {LIMIT_SECONDS} s"]

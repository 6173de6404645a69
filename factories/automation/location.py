"""The jobs, schedules and sensors that YAML gives a code location."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import dagster as dg

from factories.automation.checks import check_runs, job_name
from factories.automation.entries import Entries, Entry, read_entries
from factories.automation.run_requests import RunRequests
from factories.automation.schedules import build_schedule
from factories.automation.selections import DbtSelector, Selected, parse
from factories.automation.sensor_schema import (
    AssetUpdateSensor,
    DbtModelUpdateSensor,
    RunStatusSensor,
)
from factories.automation.sensors.build import build_sensor
from factories.automation.values import check_values
from factories.core.assets.context import LoadContext, Origin
from factories.core.dagster_internals import is_reconstruction
from factories.core.meta.keys import parse_key
from factories.core.python_defs.declarations import Declarations
from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.variables import VARIABLE


@dataclass
class Automation:
    """What YAML gives a code location; empty where there is none.

    With a mistake in an entry it holds no jobs, schedules and sensors.

    Attributes:
        jobs: Also those of what schedules and sensors select themselves.
        schedules: The schedules.
        sensors: The sensors.
        entries: What YAML says.
        selected: What each entry selects, of those that do.
        models: The models that each sensor of models looks for, by its name.
    """

    jobs: list[Any] = field(default_factory=list)
    schedules: list[dg.ScheduleDefinition] = field(default_factory=list)
    sensors: list[dg.SensorDefinition] = field(default_factory=list)
    entries: Entries = field(default_factory=lambda: Entries(""))
    selected: list[Selected] = field(default_factory=list)
    models: dict[str, list[dg.AssetKey]] = field(default_factory=dict)

    @property
    def job_origins(self) -> dict[str, Origin | None]:
        """Where each job is written, by its name."""
        own = [e for e in self.entries.ticking() if e.item.job is None]
        return {entry.name: entry.origin for entry in (*own, *self.entries.jobs)}

    @property
    def ticking_origins(self) -> dict[str, Origin | None]:
        """Where each schedule and sensor is written, by its name."""
        return {entry.name: entry.origin for entry in self.entries.ticking()}

    def problems(self, definitions: dg.Definitions) -> Iterator[Problem]:
        """Yield what is wrong with YAML, and between it and the code location it belongs to."""
        yield from self.entries.problems
        if not is_reconstruction() and (self.entries.jobs or self.entries.ticking()):
            yield from check_runs(self.entries, self.selected, self.models, definitions)


def read_automation(name: str | None, load_context: LoadContext, own: Declarations) -> Automation:
    """Read the automation files of a code location, and build what they describe.

    Args:
        name: An `automation.yaml`, or the folder that holds it, relative to the project folder;
            None where the location has none.
        load_context: What the code location holds so far; receives the problems.
        own: What Python declares: jobs, for one.
    """
    if name is None:
        return Automation()
    # Without the assets of a tool whose files have mistakes each selection would look wrong.
    complete = not load_context.problems
    entries = read_entries(name, load_context)
    everything: list[Entry[Any]] = [*entries.jobs, *entries.schedules, *entries.sensors]
    problems = entries.problems
    for entry in everything:
        check_values(entry, problems)
    selected: list[Selected] = []
    models: dict[str, list[dg.AssetKey]] = {}
    selector = DbtSelector.of(load_context, everything) if complete else None
    for entry in everything:
        if (found := _selected(entry, selector, problems)) is not None:
            selected.append(found)
        if isinstance(entry.item, DbtModelUpdateSensor) and selector is not None:
            keys = selector.find(entry, "models", problems)
            models[entry.name] = sorted(keys or ())
        if isinstance(entry.item, AssetUpdateSensor):
            for index, key in enumerate(entry.item.assets):
                place = entry.place_of(["assets", index])
                load_context.reads.setdefault(parse_key(key), place)
    automation = Automation(entries=entries, selected=selected, models=models)
    others = {job.name for job in (*load_context.jobs, *own.values("jobs"))}
    _check_jobs(entries, {*automation.job_origins, *others}, load_context)
    if load_context.problems or problems:
        return automation
    requests = _requests_of(entries)
    return replace(
        automation,
        jobs=[_job(found) for found in selected],
        schedules=[build_schedule(entry, requests[entry.name]) for entry in entries.schedules],
        sensors=[
            build_sensor(entry, requests[entry.name], models.get(entry.name, []))
            for entry in entries.sensors
        ],
    )


def _selected(
    entry: Entry[Any], selector: DbtSelector | None, problems: list[Problem]
) -> Selected | None:
    if entry.item.selection is not None and not VARIABLE.search(entry.item.selection):
        return parse(entry, problems)
    if entry.item.dbt_select is not None and selector is not None:
        keys = selector.find(entry, "dbt_select", problems)
        if keys is not None:
            return Selected(entry, "dbt_select", dg.AssetSelection.assets(*sorted(keys)))
    return None


def _job(selected: Selected) -> Any:
    """Return the job of a selection: of YAML, or of a schedule or sensor that selects itself."""
    item = selected.entry.item
    return dg.define_asset_job(
        selected.entry.name,
        selected.selection.materializable(),
        config=item.run_config or None if selected.entry.places.bases[0][0] == "jobs" else None,
        description=item.description,
        tags=item.tags,
    )


def _requests_of(entries: Entries) -> Mapping[str, RunRequests]:
    configs = {entry.name: entry.item.run_config for entry in entries.jobs}
    return {
        entry.name: RunRequests(
            entry.name,
            job_name(entry),
            entries.location,
            entry.item,
            configs.get(entry.item.job or "", {}),
        )
        for entry in entries.ticking()
    }


def _check_watched_jobs(
    entry: Entry[Any],
    item: RunStatusSensor,
    known: set[str],
    entries: Entries,
    load_context: LoadContext,
) -> None:
    """Report what a sensor waits for that will never run; `dp check` knows of other locations."""
    for index, job in enumerate(item.jobs):
        at: list[str | int] = ["jobs", index]
        if job == job_name(entry):
            message = f"jobs: the sensor would start {job} again after each of its runs"
            entries.problems.append(entry.problem(at, message))
        elif "/" in job:
            load_context.job_reads.setdefault(job, entry.place_of(at))
        elif job not in known and job not in entries.unread:
            message = f"jobs: this code location has no job {job!r}: of another one, location/{job}"
            allowed, near = sorted(known), nearest(job, known)
            entries.problems.append(entry.problem(at, message, allowed=allowed, nearest=near))


def _check_jobs(entries: Entries, known: set[str], load_context: LoadContext) -> None:
    """Report jobs that are named and not there, and a sensor that would go on for ever."""
    for entry in entries.ticking():
        job = entry.item.job
        there = job is None or job in known or job in entries.unread
        if not there and not VARIABLE.search(str(job)):
            message = f"job: this code location has no job {job!r}"
            allowed, near = sorted(known), nearest(job, known)
            problem = entry.problem(["job"], message, allowed=allowed, nearest=near)
            entries.problems.append(problem)
        if isinstance(entry.item, RunStatusSensor):
            _check_watched_jobs(entry, entry.item, known, entries, load_context)

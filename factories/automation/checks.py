"""What must hold between the automation of a code location, its jobs and its assets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from factories.automation.entries import Entries, Entry
from factories.automation.run_config_check import run_config_problems
from factories.automation.schema import AutomatedItem, ScheduleItem, SensorItem
from factories.automation.selections import Selected, partitions_of, selected_keys
from factories.automation.sensor_schema import SqlSensor
from factories.core.meta.keys import parse_key
from factories.core.yaml.problems import Problem

SHOWN = 3  # assets of each kind of partitions


def check_runs(
    entries: Entries,
    selected: Sequence[Selected],
    models: Mapping[str, list[dg.AssetKey]],
    definitions: dg.Definitions,
) -> Iterator[Problem]:
    """Yield selections without assets, and partitions and run config that do not fit the jobs.

    Of a job whose selection is wrong nothing else can be told.

    Args:
        entries: What YAML says.
        selected: What each entry selects, of those that do.
        models: The models that each sensor of models looks for, by the sensor's name.
        definitions: Of the code location.
    """
    graph = definitions.resolve_asset_graph()
    partitions: dict[str, Any] = {}
    selections: dict[str, dg.AssetSelection] = {}
    of_yaml = {entry.name for entry in entries.jobs} | entries.unread
    for found in selected:
        problems: list[Problem] = []
        keys = selected_keys(found, graph, problems)
        kind = _one_kind(found, keys, graph, problems)
        yield from problems
        of_yaml.add(found.entry.name)
        if not problems and found.entry.name not in partitions:
            partitions[found.entry.name] = kind
            selections[found.entry.name] = found.selection.materializable()
    for job in definitions.jobs or ():
        if job.name not in of_yaml:
            partitions[job.name] = _partitions_of_job(job, graph)
    for schedule in entries.schedules:
        if job_name(schedule) in partitions:
            yield from _schedule_problems(schedule, partitions[job_name(schedule)])
    for sensor in entries.sensors:
        watched = models.get(sensor.name) or [
            parse_key(key) for key in getattr(sensor.item, "assets", ())
        ]
        found_here = [key for key in watched if graph.has(key)]
        if job_name(sensor) in partitions:
            yield from _sensor_problems(sensor, partitions[job_name(sensor)], found_here, graph)
    yield from run_config_problems(entries, selections, definitions, known=partitions)


def job_name(entry: Entry[Any]) -> str:
    """Return the job that a schedule or sensor runs."""
    item: AutomatedItem = entry.item
    return item.job or entry.name


def _one_kind(
    found: Selected, keys: frozenset[dg.AssetKey], graph: Any, problems: list[Problem]
) -> Any | None:
    """Return the partitions of a job; of several kinds, none, and a problem."""
    kinds = partitions_of(keys, graph)
    if len(kinds) > 1:
        parts = []
        for of_kind in kinds.values():
            names = [key.to_user_string() for key in of_kind[:SHOWN]]
            parts.append(", ".join([*names, "…"] if len(of_kind) > SHOWN else names))
        message = (
            f"{found.key}: a job has one kind of partitions, and these assets have"
            f" {len(kinds)}: {'; '.join(parts)}"
        )
        problems.append(found.entry.problem([found.key], message))
    return next(iter(kinds), None)


def _partitions_of_job(job: Any, graph: Any) -> Any | None:
    """Return the partitions of a job of Python, or of a tool's."""
    if job.partitions_def is not None or not hasattr(job, "selection"):
        return job.partitions_def
    return next(iter(partitions_of(job.selection.resolve(graph), graph)), None)


def _schedule_problems(entry: Entry[ScheduleItem], partitions: Any | None) -> Iterator[Problem]:
    usable = dg.TimeWindowPartitionsDefinition | dg.StaticPartitionsDefinition
    if partitions is not None and not isinstance(partitions, usable):
        message = (
            f"the job {job_name(entry)} has {type(partitions).__name__}: a schedule knows which"
            " partition to run by time, or runs all of a fixed list"
        )
        yield entry.problem([_key(entry)], message)


def _sensor_problems(
    entry: Entry[SensorItem], partitions: Any | None, watched: list[dg.AssetKey], graph: Any
) -> Iterator[Problem]:
    item, job = entry.item, job_name(entry)
    takes = "partition" in type(item).model_fields
    template = getattr(item, "partition", None)
    if partitions is None:
        if template is not None:
            message = f"partition: the job {job} has no partitions"
            yield entry.problem(["partition"], message)
        return
    if takes and template is None:
        message = f"the job {job} has partitions: say by `partition` which one a run makes"
        yield entry.problem([_key(entry)], message)
    elif isinstance(item, SqlSensor):
        message = f"the job {job} has partitions, and a sensor of type sql names none"
        yield entry.problem([_key(entry)], message)
    for key in watched:
        if graph.get(key).partitions_def != partitions:
            message = (
                f"{key.to_user_string()} does not have the partitions of the job {job}: its"
                " updates do not say which one to run"
            )
            yield entry.problem([_key(entry)], message)


def _key(entry: Entry[Any]) -> str:
    """Return the key that says what an entry runs."""
    keys = ("job", "selection", "dbt_select")
    return next(key for key in keys if getattr(entry.item, key) is not None)

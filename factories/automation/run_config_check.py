"""Checks the run config of YAML against what the jobs take."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import dagster as dg

from factories.automation.entries import Entries, Entry
from factories.automation.run_requests import merge_config
from factories.automation.schema import SensorItem
from factories.automation.templates import placeholders
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import KeyPath

# What is not text of the placeholders that always stand for values of the same type.
SAMPLES: Mapping[str, Any] = {"{size}": 0, "{paths}": ["{path}"]}
OF_ANY_TYPE = ("value", "payload", "id")
WRONG_TYPE = "RUNTIME_TYPE_MISMATCH"
# Mistakes of keys, whatever the values are.
CERTAIN = ("FIELD_NOT_DEFINED", "FIELDS_NOT_DEFINED", "MISSING_REQUIRED_FIELD",
    "MISSING_REQUIRED_FIELDS")  # fmt: skip


def run_config_problems(
    entries: Entries,
    selections: Mapping[str, dg.AssetSelection],
    definitions: dg.Definitions,
    *,
    known: Collection[str],
) -> Iterator[Problem]:
    """Yield the run config that a job would refuse when a run starts.

    What a placeholder stands for is known when a sensor has seen it; of what type it is, mostly
    before.

    Args:
        entries: What YAML says.
        selections: What each of its jobs selects, by the job's name.
        definitions: Of the code location.
        known: The jobs that can be looked at; of others something else is wrong.
    """
    plain = _PlainJobs(selections, definitions)
    of_jobs = {entry.name: entry.item.run_config for entry in entries.jobs}
    found: set[str] = set()
    for job in entries.jobs:
        if job.item.run_config and job.name in known:
            problems = [*_problems(job, job.name, job.item.run_config, plain)]
            found.update([job.name] if problems else [])
            yield from problems
    for entry in entries.ticking():
        name = entry.item.job or entry.name
        if name not in known or name in found:
            continue
        own = entry.item.run_config
        if isinstance(entry.item, SensorItem):
            own = _with_samples(own)
        config = merge_config(of_jobs.get(entry.item.job or "", {}), own)
        if config:
            yield from _problems(entry, name, config, plain)


class _PlainJobs:
    """Jobs without the config that YAML gives them: one with a mistake cannot be looked at."""

    def __init__(
        self, selections: Mapping[str, dg.AssetSelection], definitions: dg.Definitions
    ) -> None:
        self._selections, self._definitions = selections, definitions

    def job(self, name: str) -> dg.JobDefinition:
        repository = self._definitions.get_repository_def()
        if name not in self._selections:
            return repository.get_job(name)
        made: dg.JobDefinition = dg.define_asset_job("plain", self._selections[name]).resolve(
            repository.asset_graph, resource_defs=repository.get_top_level_resources()
        )
        return made


def _problems(
    entry: Entry[Any], job: str, config: dict[str, Any], plain: _PlainJobs
) -> Iterator[Problem]:
    used: dict[KeyPath, str] = {}
    if isinstance(entry.item, SensorItem):
        used = dict(placeholders(entry.item.run_config))
    try:
        dg.validate_run_config(plain.job(job), config)
    except dg.DagsterInvalidConfigError as error:
        for mistake in error.errors:
            path = [level.field_name for level in _fields(mistake.stack)]
            if _depends(used, path, mistake):
                continue
            unknown = getattr(mistake.error_data, "field_name", None)
            unknown = [unknown] if isinstance(unknown, str) else []
            said = " ".join(str(mistake.message).partition(" Expected: ")[0].split())
            message = f"run_config: the job {job} refuses it: {said.rstrip('.')}"
            at = ["run_config", *path, *unknown]
            yield entry.problem(at, message, at_key=bool(unknown))


def _with_samples(config: Any) -> Any:
    """Return run config with values of the right type for the placeholders that have one."""
    if isinstance(config, dict):
        return {key: _with_samples(child) for key, child in config.items()}
    if isinstance(config, list):
        return [_with_samples(child) for child in config]
    return SAMPLES.get(config, config) if isinstance(config, str) else config


def _depends(used: Mapping[KeyPath, str], path: list[str], mistake: Any) -> bool:
    """Tell whether it is the value of a placeholder that decides whether there is a mistake."""
    below = [name for at, name in used.items() if [*map(str, at)][: len(path)] == path]
    wrong_type = mistake.reason.value == WRONG_TYPE
    of_any_type = any(name.partition(".")[0] in OF_ANY_TYPE for name in below)
    return mistake.reason.value not in CERTAIN and bool(below) and (of_any_type or not wrong_type)


def _fields(stack: Any) -> Iterator[Any]:
    return (level for level in stack.entries if hasattr(level, "field_name"))

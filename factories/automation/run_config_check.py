"""Checks the run config of YAML against what the jobs take."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import dagster as dg

from factories.automation.entries import Entries, Entry
from factories.automation.run_requests import merge_config
from factories.automation.templates import placeholders
from factories.core.yaml.problems import Problem


def run_config_problems(
    entries: Entries,
    selections: Mapping[str, dg.AssetSelection],
    definitions: dg.Definitions,
    *,
    known: Collection[str],
) -> Iterator[Problem]:
    """Yield the run config that a job would refuse when a run starts.

    Of a sensor's with placeholders that is known when they are replaced.

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
        config = merge_config(of_jobs.get(entry.item.job or "", {}), entry.item.run_config)
        if name not in known or name in found:
            continue
        if config and not [*placeholders(entry.item.run_config)]:
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
    try:
        dg.validate_run_config(plain.job(job), config)
    except dg.DagsterInvalidConfigError as error:
        for mistake in error.errors:
            path = [level.field_name for level in _fields(mistake.stack)]
            unknown = getattr(mistake.error_data, "field_name", None)
            unknown = [unknown] if isinstance(unknown, str) else []
            said = " ".join(str(mistake.message).partition(" Expected: ")[0].split())
            message = f"run_config: the job {job} refuses it: {said.rstrip('.')}"
            at = ["run_config", *path, *unknown]
            yield entry.problem(at, message, at_key=bool(unknown))


def _fields(stack: Any) -> Iterator[Any]:
    return (level for level in stack.entries if hasattr(level, "field_name"))

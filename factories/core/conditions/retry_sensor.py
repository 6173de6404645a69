"""Asks again for what failed of automation's runs, where Dagster's operators evaluate conditions.

Our own node does that by itself. Dagster's operators cannot tell an asset that failed from one that
was never asked for, and its run retries have no delay (dagster #13427).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.storage.dagster_run import DagsterRunStatus, RunRecord, RunsFilter
from dagster._core.storage.tags import (
    AUTOMATION_CONDITION_TAG,
    PARTITION_NAME_TAG,
    RESUME_RETRY_TAG,
)
from dagster._time import get_current_timestamp

from factories.core.conditions.operators import retries_of
from factories.core.conditions.rule import condition_name
from factories.core.conditions.run_outcome import RunOutcome, blocked_assets
from factories.core.conditions.run_tags import ATTEMPT_TAG, CAUSE_TAG, CONDITION_TAG

NAME = "automation_retries"
LOOK_BACK = timedelta(days=1)


def retry_sensor(default_status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """Return the sensor that asks again for what failed of automation's runs."""

    @dg.sensor(
        name=NAME,
        target=dg.AssetSelection.all(),
        default_status=default_status,
        minimum_interval_seconds=30,
        description="Asks again for the assets that failed in automation's runs, as their"
        " conditions' `retry` says; only what failed, and only until something newer asks.",
    )
    def automation_retries(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest]:
        repository = context.repository_def
        if repository is None:
            raise dg.DagsterInvariantViolationError("the sensor runs in a code location")
        graph = repository.asset_graph
        for record in _failed_runs(context.instance):
            failed = _failed_assets(context.instance, record, graph)
            yield from _requests(record, failed, graph)

    return automation_retries


def _failed_runs(instance: dg.DagsterInstance) -> list[RunRecord]:
    since = datetime.fromtimestamp(get_current_timestamp(), UTC) - LOOK_BACK
    failed = [DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
    wanted = RunsFilter(
        statuses=failed, tags={AUTOMATION_CONDITION_TAG: "true"}, updated_after=since
    )
    return list(reversed(instance.get_run_records(wanted)))


def _failed_assets(
    instance: dg.DagsterInstance, record: RunRecord, graph: AssetGraph
) -> set[dg.AssetKey]:
    """Return the assets that a run failed to make, without those below them that it left out."""
    run = record.dagster_run
    keys = [key for key in run.asset_selection or () if graph.has(key)]
    unmade = set()
    for found in instance.get_asset_records(keys):
        entry = found.asset_entry
        made = entry.last_materialization_record
        # A run that came later has taken over.
        if entry.last_run_id == run.run_id and (made is None or made.run_id != run.run_id):
            unmade.add(entry.asset_key)
    if not unmade:
        return set()
    outcome = RunOutcome.read(instance, run.run_id)
    blocked, resumed = blocked_assets(outcome, graph), RESUME_RETRY_TAG in run.tags
    return {
        key
        for key in unmade
        if not outcome.was_left_out(
            key.to_user_string(), _parents(graph, key), blocked, resumed=resumed
        )
        and key.to_user_string() not in outcome.permanent
    }


def _parents(graph: AssetGraph, key: dg.AssetKey) -> set[str]:
    return {parent.to_user_string() for parent in graph.get(key).parent_keys}


def _requests(
    record: RunRecord, failed: set[dg.AssetKey], graph: AssetGraph
) -> Iterator[dg.RunRequest]:
    run = record.dagster_run
    attempt = int(run.tags.get(ATTEMPT_TAG, "1"))
    ended = record.end_time or record.update_timestamp.timestamp()
    by_delay: dict[float, list[dg.AssetKey]] = {}
    labels = {key: _label(graph, key) for key in failed}
    for key in sorted(failed):
        condition = graph.get(key).automation_condition
        tries, delay = (retries_of(condition) if condition else None) or (0, 0.0)
        if attempt <= tries and get_current_timestamp() >= ended + delay:
            by_delay.setdefault(delay, []).append(key)
    partition = run.tags.get(PARTITION_NAME_TAG)
    for keys in by_delay.values():
        yield dg.RunRequest(
            run_key=f"{run.run_id}:{','.join(key.to_user_string() for key in keys)}",
            asset_selection=keys,
            partition_key=partition,
            tags={
                AUTOMATION_CONDITION_TAG: "true",
                ATTEMPT_TAG: str(attempt + 1),
                CONDITION_TAG: ", ".join(sorted({labels[key] for key in keys})),
                CAUSE_TAG: f"run {run.run_id[:8]} failed: try {attempt + 1}",
            },
        )


def _label(graph: AssetGraph, key: dg.AssetKey) -> str:
    condition = graph.get(key).automation_condition
    return condition_name(condition.get_label() or condition.name or "") if condition else ""

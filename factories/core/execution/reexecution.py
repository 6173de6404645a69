"""What the run before has made, when Dagster starts a run again from the step that failed.

Dagster repeats the whole step. What of it succeeded stays as it is, as with "re-execute from asset
failure", by which Dagster itself selects only what was not made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster import AssetCheckEvaluation, AssetMaterialization
from dagster._core.storage.tags import PARENT_RUN_ID_TAG, RESUME_RETRY_TAG

from factories.core.execution.data_versions import kept_data_version

LEFT = "left_as_built_by"
MATERIALIZATION = dg.DagsterEventType.ASSET_MATERIALIZATION
CHECK = dg.DagsterEventType.ASSET_CHECK_EVALUATION


@dataclass(frozen=True)
class MadeBefore:
    """What the runs before have made of a step's assets, and this run leaves as it is.

    Attributes:
        runs: The run that made each asset.
        made: How it was told.
        checks: The results of the assets' checks.
    """

    runs: Mapping[dg.AssetKey, str] = field(default_factory=dict)
    made: Mapping[dg.AssetKey, AssetMaterialization] = field(default_factory=dict)
    checks: Mapping[dg.AssetCheckKey, AssetCheckEvaluation] = field(default_factory=dict)


def events_of_runs_before(context: dg.AssetExecutionContext) -> Iterator[tuple[str, Any]]:
    """Yield what this step has made and checked in the runs that this one goes on with.

    There are none unless it starts again from a failed step.

    Yields:
        The run and the log entry; of each run from its first event on, the last run first.
    """
    step_key = context.get_step_execution_context().step.key
    run: dg.DagsterRun | None = context.run
    while run and run.tags.get(RESUME_RETRY_TAG) == "true":
        before = run.parent_run_id or run.tags.get(PARENT_RUN_ID_TAG)
        if not before:
            return
        for entry in context.instance.all_logs(before, of_type={MATERIALIZATION, CHECK}):
            if entry.dagster_event and entry.dagster_event.step_key == step_key:
                yield before, entry
        run = context.instance.get_run_by_id(before)


def made_before(context: dg.AssetExecutionContext) -> MadeBefore:
    """Return which of the selected assets stay as an earlier run has made them.

    An asset of which a blocking check has failed, or has not come to a result, is made again.
    """
    runs: dict[dg.AssetKey, str] = {}
    made: dict[dg.AssetKey, AssetMaterialization] = {}
    checks: dict[dg.AssetCheckKey, AssetCheckEvaluation] = {}
    for run_id, entry in events_of_runs_before(context):
        event = entry.dagster_event
        if event.event_type is MATERIALIZATION:
            materialization = event.step_materialization_data.materialization
            if runs.setdefault(materialization.asset_key, run_id) == run_id:
                made[materialization.asset_key] = materialization
        else:
            found = event.asset_check_evaluation_data
            if runs.get(found.asset_key) == run_id:
                checks[found.asset_check_key] = found
    selected = context.selected_asset_check_keys
    spoiled = {key.asset_key for key in selected if key not in checks or _has_blocked(checks[key])}
    kept = {key for key in runs if key in context.selected_asset_keys} - spoiled
    if kept:
        named = ", ".join(sorted(key.to_user_string() for key in kept))
        context.log.info("left as the run before has made it: %s", named)
    return MadeBefore({key: run_id for key, run_id in runs.items() if key in kept}, made, checks)


def _has_blocked(found: AssetCheckEvaluation) -> bool:
    fails = not found.passed and found.severity is dg.AssetCheckSeverity.ERROR
    return bool(found.blocking) and fails


def rematerialize_for_waiting_steps(
    context: dg.AssetExecutionContext, before: MadeBefore
) -> Iterator[dg.MaterializeResult[Any]]:
    """Yield results for assets that stay as they are and that a later step of this run reads.

    Dagster skips each step whose inputs did not come, and calls the run a success. So these assets
    are materialized once more, although nothing is loaded; their metadata says so.
    """
    layer = context.job_def.asset_layer
    elsewhere = set(layer.selected_asset_keys) - set(context.selected_asset_keys)
    for key, run_id in before.runs.items():
        if not layer.get(key).child_keys & elsewhere:
            continue
        known = before.made[key].metadata
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                **{name: value for name, value in known.items() if name.startswith("dagster/")},
                LEFT: dg.MetadataValue.dagster_run(run_id),
            },
            data_version=kept_data_version(context, key),
            check_results=[
                dg.AssetCheckResult(
                    asset_key=key,
                    check_name=check.name,
                    passed=found.passed,
                    severity=found.severity,
                    metadata={LEFT: dg.MetadataValue.dagster_run(run_id)},
                )
                for check, found in before.checks.items()
                if check.asset_key == key and check in context.selected_asset_check_keys
            ],
        )

"""What the earlier run has built, when Dagster starts a run again from the failed step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import dagster as dg

from factories.core.execution.data_versions import kept_data_version
from factories.core.execution.reexecution import LEFT, MATERIALIZATION, events_of_runs_before
from factories.core.execution.table_reader import COLUMN_SCHEMA
from factories.core.meta.check_specs import check_names
from factories.dbt.project.project import DbtProject


@dataclass(frozen=True)
class Finished:
    """What earlier runs have built, and this run leaves as it is.

    Attributes:
        runs: The run that left it so, by the unique id of the node that was built or the test that
            passed.
        built_at: When each node was built.
        columns: The column schema in the metadata of its materialization.
        checks: Whether each check passed when it last ran.
    """

    runs: dict[str, str] = field(default_factory=dict)
    built_at: dict[str, float] = field(default_factory=dict)
    columns: dict[str, Mapping[str, dg.MetadataValue]] = field(default_factory=dict)
    checks: dict[dg.AssetCheckKey, bool] = field(default_factory=dict)

    def passed(self, asset: dg.AssetKey) -> set[str]:
        """Return the names of an asset's checks that have passed."""
        return {
            key.name for key, passed in self.checks.items() if passed and key.asset_key == asset
        }


def finished_before(
    context: dg.AssetExecutionContext, project: DbtProject, selected: set[str]
) -> Finished:
    """Return which of the selected nodes were built, and which of the selected tests passed.

    It is empty for a run that does not start again from a failed step. As with `dbt retry`, what
    was built stays as it is, and a test that failed runs again.
    """
    uids = {key: uid for uid, key in project.keys.items() if uid in project.models}
    tests = {check.key: uid for uid, check in project.checks.items()}
    finished = Finished()
    for run_id, entry in events_of_runs_before(context):
        event = entry.dagster_event
        if event.event_type is MATERIALIZATION:
            uid = uids.get(event.asset_key) if event.asset_key else None
            if uid in selected and uid:
                # The earliest remains: the later runs have only reported it again.
                finished.runs[uid] = run_id
                finished.built_at[uid] = entry.timestamp
                metadata = event.step_materialization_data.materialization.metadata
                finished.columns[uid] = {k: v for k, v in metadata.items() if k == COLUMN_SCHEMA}
        else:
            found = event.asset_check_evaluation_data
            key = dg.AssetCheckKey(found.asset_key, found.check_name)
            passed = finished.checks.setdefault(key, found.passed)
            if passed and tests.get(key) in selected:
                finished.runs.setdefault(tests[key], run_id)
    return finished


def rematerialize_for_waiting_steps(
    context: dg.AssetExecutionContext, project: DbtProject, finished: Finished
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Yield results for nodes that an earlier run built and that a later step of this run reads.

    Dagster skips each step whose inputs did not come, and calls the run a success. So these nodes
    are materialized once more, although dbt does not build them; their metadata says so.
    """
    layer = context.job_def.asset_layer
    elsewhere = set(layer.selected_asset_keys) - set(context.selected_asset_keys)
    for unique_id, run_id in finished.runs.items():
        metadata = {LEFT: dg.MetadataValue.dagster_run(run_id)}
        subject = unique_id
        if test := project.manifest.tests.get(unique_id):
            subject = test.subject
        key = project.keys[subject]
        if not layer.has(key) or not layer.get(key).child_keys & elsewhere:
            continue
        if test is None:
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={**finished.columns[unique_id], **metadata},
                data_version=kept_data_version(context, key),
            )
            own = check_names(project.models[unique_id].meta.checks)
            passed = [name for name in own if name in finished.passed(key)]
        else:
            passed = [project.checks[unique_id].name]
        for name in passed:
            if dg.AssetCheckKey(key, name) in context.selected_asset_check_keys:
                yield dg.AssetCheckResult(
                    asset_key=key, check_name=name, passed=True, metadata=metadata
                )

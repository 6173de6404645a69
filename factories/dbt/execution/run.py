"""Building the selected nodes of a dbt project inside a Dagster step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import dagster as dg

from factories.core.execution.checks import check_results
from factories.core.execution.run_watchdog import terminate_when_run_ends
from factories.core.execution.table_reader import TableReader
from factories.core.execution.temp_folders import temporary_step_folder
from factories.core.meta.check_specs import check_names
from factories.core.meta.partitions import UnreadableWindowError, Window, window
from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import warehouse_settings
from factories.dbt.execution.attempts import build_pending
from factories.dbt.execution.checks import check_result, evaluation
from factories.dbt.execution.column_lineage import ColumnLineage
from factories.dbt.execution.events import NodeResult
from factories.dbt.execution.invocation import DbtInvocations
from factories.dbt.execution.metadata import Describer
from factories.dbt.execution.refusals import refusals_told
from factories.dbt.execution.resume import Finished, awaited, finished_before
from factories.dbt.execution.windows import given_window
from factories.dbt.project.project import DbtProject, Model
from factories.dbt.run_config import DbtRunConfig

Result = dg.MaterializeResult[Any] | dg.AssetCheckResult


def build_models(
    context: dg.AssetExecutionContext,
    config: DbtRunConfig,
    project: DbtProject,
    models: Mapping[str, Model],
    names: WarehouseNames,
) -> Iterator[Result]:
    """Build the selected nodes in one `dbt build`, and run their tests.

    A run of the whole project also tests the sources that the step's models read, as `dbt build`
    does: a test that fails holds back what reads its source.

    What failed, and what was skipped for it, is built again alone, as the `retries` of the nodes
    say; a run that Dagster starts again from the failed step leaves what was built as it is.

    Yields:
        A result for each node that was built, and for each test.

    Raises:
        dagster.Failure: After the results, when a node or a test of severity error has failed
            for good; names each. Also when nothing can run: a setting is missing, the run's
            configuration or partition cannot be used.
    """
    selected = {uid for uid, model in models.items() if model.key in context.selected_asset_keys}
    tests = selected_tests(context, project) | _source_tests(context, project, selected)
    with refusals_told():
        settings = warehouse_settings()
        covered = _covered(context, config) if selected else None
        arguments = config.options().arguments(covered)
    with (
        terminate_when_run_ends(context),
        closing(TableReader(settings, names)) as reader,
        temporary_step_folder("dbt") as folder,
    ):
        dbt = DbtInvocations(context, project, settings, arguments, folder)
        lineage = ColumnLineage(project, reader, context.log.debug)
        describer = Describer(context, reader, lineage, folder, config.row_counts)
        finished = finished_before(context, project, selected | tests)
        if finished.runs:
            left = len(finished.runs)
            context.log.info("left as the run before built it: %d nodes and tests", left)
            yield from awaited(context, project, finished)
        yield from _checks_of_what_stands(context, models, selected, finished, reader)
        for result in build_pending(dbt, (selected | tests) - finished.runs.keys()):
            if result.unique_id in selected:
                if result.outcome in {"success", "warn"}:
                    yield _built(context, models[result.unique_id], result, describer)
            else:
                yield from _tested(context, project, result)
    dbt.raise_failures()


def selected_tests(context: Any, project: DbtProject) -> set[str]:
    """Return the unique ids of the tests whose checks a step has selected."""
    wanted = context.selected_asset_check_keys
    return {uid for uid, check in project.checks.items() if check.key in wanted}


def _source_tests(
    context: dg.AssetExecutionContext, project: DbtProject, selected: set[str]
) -> set[str]:
    """Return the tests of the sources that the step reads, in a run of the whole project.

    Models with partitions are not asked for: their runs are often their own.
    """
    in_run = context.job_def.asset_layer.selected_asset_keys
    whole = {model.key for model in project.models.values() if model.meta.partition is None}
    if not selected or not whole or not whole <= set(in_run):
        return set()
    read = {dep for uid in selected for dep in project.models[uid].node.depends_on}
    return {
        uid
        for uid, test in project.manifest.tests.items()
        if test.subject in read and test.subject in project.manifest.sources
    }


def _covered(context: dg.AssetExecutionContext, config: DbtRunConfig) -> Window | None:
    """Return the window of the run's partitions, or the one that its configuration names."""
    covered = window(context)
    if isinstance(covered, tuple):
        raise UnreadableWindowError("dbt models have partitions of time only")
    if config.window_start is None and config.window_end is None:
        return covered
    if covered:
        raise UnreadableWindowError("window_start and window_end: the partition is the window")
    return given_window(config.window_start, config.window_end)


def _checks_of_what_stands(
    context: dg.AssetExecutionContext,
    models: Mapping[str, Model],
    selected: set[str],
    finished: Finished,
    reader: TableReader,
) -> Iterator[dg.AssetCheckResult]:
    """Run the checks that `meta.dagster` names of tables that this step does not build.

    These are selected without their model, or the run before has built it; then they run unless
    they passed: a step that started again would be a success without them.
    """
    for uid, model in models.items():
        passed = finished.passed(model.key) if uid in finished.runs else set()
        left = set(check_names(model.meta.checks)) - passed
        if (uid in selected and uid not in finished.runs) or model.relation is None or not left:
            continue
        for result in check_results(
            context,
            model.key,
            model.meta.checks,
            model.relation,
            reader,
            loaded_at=finished.built_at.get(uid),
        ):
            if result.check_name in left:
                yield result


def _built(
    context: dg.AssetExecutionContext, model: Model, result: NodeResult, describer: Describer
) -> dg.MaterializeResult[Any]:
    columns = describer.columns(model)
    checks: Iterator[dg.AssetCheckResult] = iter(())
    if model.relation:
        checks = check_results(
            context,
            model.key,
            model.meta.checks,
            model.relation,
            describer.reader,
            columns=columns,
        )
    return dg.MaterializeResult(
        asset_key=model.key,
        check_results=list(checks),
        metadata=describer.metadata(model, result, columns),
    )


def _tested(
    context: dg.AssetExecutionContext, project: DbtProject, result: NodeResult
) -> Iterator[Any]:
    """Yield the result of a test that is selected; record that of a source's, which cannot be."""
    check = project.checks.get(result.unique_id)
    if check is None or result.outcome == "skipped":
        return
    if check.key in context.selected_asset_check_keys:
        yield check_result(project, result)
    elif project.manifest.tests[result.unique_id].subject in project.manifest.sources:
        # Its asset belongs to another code location, so that no step here can have it selected.
        yield evaluation(check_result(project, result))

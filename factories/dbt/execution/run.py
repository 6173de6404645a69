"""Building the selected nodes of a dbt project inside a Dagster step."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from factories.core.execution.checks.run import run_selected_checks
from factories.core.execution.data_versions import add_content_hash, find_data_version
from factories.core.execution.step import open_step, start_errors_as_failures
from factories.core.execution.table_reader import TableReader
from factories.core.execution.window import UnreadableWindowError, Window, window
from factories.core.meta.check_specs import check_names
from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import WarehouseSettings
from factories.dbt.execution.checks import check_evaluation, check_result, selected_tests
from factories.dbt.execution.column_lineage import ColumnLineage
from factories.dbt.execution.events import NodeResult
from factories.dbt.execution.invocation import DbtInvocations, log_parse_warnings
from factories.dbt.execution.metadata import Describer
from factories.dbt.execution.missing_tables import find_missing_tables, unknown_results
from factories.dbt.execution.reexecution import (
    Finished,
    finished_before,
    rematerialize_for_waiting_steps,
)
from factories.dbt.execution.retries import build_with_retries
from factories.dbt.project.project import DbtProject, Model
from factories.dbt.run_config import DbtRunConfig
from factories.dbt.windows import configured_window

Result = dg.MaterializeResult[Any] | dg.AssetCheckResult


def build_models(
    context: dg.AssetExecutionContext,
    config: DbtRunConfig,
    project: DbtProject,
    models: Mapping[str, Model],
    names: WarehouseNames,
    *,
    settings: WarehouseSettings,
) -> Iterator[Result]:
    """Build the selected nodes in one `dbt build`, and run their tests.

    A run of the whole project also tests the sources that the step's models read, as `dbt build`
    does: when a test of severity error fails, dbt skips the models that read its source.

    What failed, and what was skipped because of it, is built again alone, as the `retries` of the
    nodes say. When Dagster starts a run again from the failed step, what the earlier run built
    stays as it is.

    Args:
        context: Dagster's.
        config: What the run's configuration says.
        project: The dbt project.
        models: The nodes of this step, by unique id.
        names: How the target's databases and schemas are called.
        settings: How to reach the warehouse.

    Yields:
        A result for each node that was built, and for each test.

    Raises:
        dagster.Failure: After the results, when a node or a test of severity error has failed
            for good; it names each. Also when nothing can run: the run's configuration or
            partition cannot be used.
    """
    selected = {uid for uid, model in models.items() if model.key in context.selected_asset_keys}
    tests = selected_tests(context, project) | _source_tests(context, project, selected)
    with start_errors_as_failures():
        bounds = _window(context, config) if selected else None
        arguments = config.options().arguments(bounds)
    with open_step(context, settings, names, "dbt") as step:
        log_parse_warnings(context, project)
        dbt = DbtInvocations(context, project, settings, arguments, step.folder)
        lineage = ColumnLineage(project, step.reader, context.log.debug)
        describer = Describer(context, step.reader, lineage, step.folder, config.row_counts)
        finished = finished_before(context, project, selected | tests)
        if finished.runs:
            number = len(finished.runs)
            context.log.info("left as the run before built it: %d nodes and tests", number)
            yield from rematerialize_for_waiting_steps(context, project, finished)
        yield from _checks_without_build(context, models, selected, finished, step.reader)
        checked = {uid for uid in tests - finished.runs.keys() if uid in project.checks}
        looked_at = time.time()
        missing = find_missing_tables(project, checked, selected, step.reader)
        yield from unknown_results(context, project, missing, looked_at)
        wanted = (selected | tests) - finished.runs.keys() - missing.keys()
        for result in build_with_retries(dbt, wanted) if wanted else ():
            if result.unique_id in selected:
                if result.outcome in {"success", "warn"}:
                    model = models[result.unique_id]
                    once = result.unique_id not in dbt.failed_before
                    yield _materialization(context, model, result, describer, once=once)
            else:
                yield from _test_result(context, project, result)
        dbt.raise_failures()


def _source_tests(
    context: dg.AssetExecutionContext, project: DbtProject, selected: set[str]
) -> set[str]:
    """Return the tests of the sources that the step reads, in a run of the whole project.

    Partitioned models need not be selected for that: they often have runs of their own.
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


def _window(context: dg.AssetExecutionContext, config: DbtRunConfig) -> Window | None:
    """Return the window of the run's partitions, or the one that its configuration names."""
    of_partitions = window(context)
    if isinstance(of_partitions, tuple):
        raise UnreadableWindowError("dbt models have partitions of time only")
    if config.window_start is None and config.window_end is None:
        return of_partitions
    if of_partitions:
        raise UnreadableWindowError("window_start and window_end: the partition is the window")
    return configured_window(config.window_start, config.window_end)


def _checks_without_build(
    context: dg.AssetExecutionContext,
    models: Mapping[str, Model],
    selected: set[str],
    finished: Finished,
    reader: TableReader,
) -> Iterator[dg.AssetCheckResult]:
    """Run the checks of `meta.dagster` on tables that this step does not build.

    They are selected without their model, or an earlier run has built it. In that case only those
    that have not passed run: without them the repeated step would end as a success.
    """
    for uid, model in models.items():
        passed = finished.passed(model.key) if uid in finished.runs else set()
        left = set(check_names(model.meta.checks)) - passed
        if (uid in selected and uid not in finished.runs) or model.relation is None or not left:
            continue
        for result in run_selected_checks(
            context,
            model.key,
            model.meta.checks,
            model.relation,
            reader,
            loaded_at=finished.built_at.get(uid),
        ):
            if result.check_name in left:
                yield result


def _materialization(
    context: dg.AssetExecutionContext,
    model: Model,
    result: NodeResult,
    describer: Describer,
    *,
    once: bool,
) -> dg.MaterializeResult[Any]:
    """Describe a node that was built, at the first try (`once`) or a later one."""
    columns = describer.columns(model)
    metadata = describer.metadata(model, result, columns)
    if model.relation:
        add_content_hash(
            context, model.meta, metadata, describer.reader, model.relation, columns=columns
        )
    checks: Iterator[dg.AssetCheckResult] = iter(())
    if model.relation:
        checks = run_selected_checks(
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
        metadata=metadata,
        data_version=find_data_version(
            context,
            model.key,
            metadata,
            wrote_nothing=once and describer.wrote_nothing(model, result),
        ),
    )


def _test_result(
    context: dg.AssetExecutionContext, project: DbtProject, result: NodeResult
) -> Iterator[Any]:
    """Yield the result of a selected test; record the result of a source's test."""
    check = project.checks.get(result.unique_id)
    if check is None or result.outcome == "skipped":
        return
    if check.key in context.selected_asset_check_keys:
        yield check_result(project, result)
    elif project.manifest.tests[result.unique_id].subject in project.manifest.sources:
        # Its asset belongs to another code location, so no step of this one can select it.
        yield check_evaluation(check_result(project, result))

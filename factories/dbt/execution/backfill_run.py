"""Building one window of a model that has no partitions, in a step of its backfill job."""

from __future__ import annotations

import dagster as dg

from factories.core.execution.checks.history import LoadHistory
from factories.core.execution.checks.run import failed_blocking, run_table_checks
from factories.core.execution.step import open_step, start_errors_as_failures
from factories.core.execution.window import Window
from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import WarehouseSettings
from factories.dbt.execution.checks import check_evaluation, check_result
from factories.dbt.execution.column_lineage import ColumnLineage
from factories.dbt.execution.events import NodeResult
from factories.dbt.execution.invocation import DbtInvocations, log_parse_warnings
from factories.dbt.execution.metadata import Describer
from factories.dbt.execution.retries import build_with_retries
from factories.dbt.project.project import DbtProject, Model
from factories.dbt.run_config import WindowConfig
from factories.dbt.windows import configured_window


def build_window(
    context: dg.OpExecutionContext,
    config: WindowConfig,
    project: DbtProject,
    model: Model,
    names: WarehouseNames,
    *,
    settings: WarehouseSettings,
) -> None:
    """Build one window of a model again, and run its tests and checks as a step of assets would.

    The materialization and the results of checks appear in the asset's history.

    Args:
        context: Dagster's.
        config: The window, in the time that bounds the model's rows, and what a run takes.
        project: The dbt project.
        model: The model.
        names: How the target's databases are called.
        settings: How to reach the warehouse.

    Raises:
        dagster.Failure: When the model, a test of severity error or a blocking check fails, or
            the window cannot be read.
    """
    with start_errors_as_failures():
        window = configured_window(config.window_start, config.window_end)
        arguments = config.options().arguments(window)
    own = model.node.unique_id
    failed: list[str] = []
    with open_step(context, settings, names, "dbt") as step:
        log_parse_warnings(context, project)
        dbt = DbtInvocations(context, project, settings, arguments, step.folder)
        lineage = ColumnLineage(project, step.reader, context.log.debug)
        describer = Describer(context, step.reader, lineage, step.folder, config.row_counts)
        pending = {own, *(test.unique_id for test in project.tests(own))}
        for result in build_with_retries(dbt, pending):
            if result.unique_id == own and result.outcome in {"success", "warn"}:
                failed = _record_materialization(context, model, window, result, describer)
            elif result.unique_id in project.checks and result.outcome != "skipped":
                context.log_event(check_evaluation(check_result(project, result)))
        dbt.raise_failures()
    if failed:
        raise dg.Failure(f"checks failed: {', '.join(failed)}", allow_retries=False)


def _record_materialization(
    context: dg.OpExecutionContext,
    model: Model,
    window: Window,
    result: NodeResult,
    describer: Describer,
) -> list[str]:
    """Record the materialization and the checks; return the blocking ones that failed."""
    columns = describer.columns(model)
    checks: list[dg.AssetCheckResult] = []
    if (
        model.meta.checks and model.relation
    ):  # before it is recorded: they compare with the last one
        checks += run_table_checks(
            LoadHistory(context.instance, model.key),
            model.meta.checks,
            model.relation,
            describer.reader,
            columns=columns,
        )
    metadata = describer.metadata(model, result, columns)
    span = f"{window.start} to {window.end}"
    context.log_event(dg.AssetMaterialization(model.key, metadata={**metadata, "window": span}))
    for check in checks:
        context.log_event(check_evaluation(check))
    return failed_blocking(model.meta.checks, checks)

"""Building one window of a model that has no partitions, in a step of its backfill job."""

from __future__ import annotations

from contextlib import closing

import dagster as dg

from factories.core.execution.checks import table_checks
from factories.core.execution.run_watchdog import terminate_when_run_ends
from factories.core.execution.table_reader import TableReader
from factories.core.execution.temp_folders import temporary_step_folder
from factories.core.meta.partitions import Window
from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import warehouse_settings
from factories.dbt.execution.attempts import build_pending
from factories.dbt.execution.checks import check_result, evaluation
from factories.dbt.execution.column_lineage import ColumnLineage
from factories.dbt.execution.events import NodeResult
from factories.dbt.execution.invocation import DbtInvocations
from factories.dbt.execution.metadata import Describer
from factories.dbt.execution.refusals import refusals_told
from factories.dbt.execution.windows import given_window
from factories.dbt.project.project import DbtProject, Model
from factories.dbt.run_config import WindowConfig


def build_window(
    context: dg.OpExecutionContext,
    config: WindowConfig,
    project: DbtProject,
    model: Model,
    names: WarehouseNames,
) -> None:
    """Build a window of a model anew, and run its tests and checks, as a step of assets would.

    The asset's history shows it.

    Args:
        context: Dagster's.
        config: The window, of the time that the model's variables limit, and what a run takes.
        project: The dbt project.
        model: The model.
        names: How the target's databases are called.

    Raises:
        dagster.Failure: When the model, a test of severity error or a blocking check fails, the
            window is none, or a setting is missing.
    """
    with refusals_told():
        window = given_window(config.window_start, config.window_end)
        arguments = config.options().arguments(window)
        settings = warehouse_settings()
    own = model.node.unique_id
    failed: list[str] = []
    with (
        terminate_when_run_ends(context),
        closing(TableReader(settings, names)) as reader,
        temporary_step_folder("dbt") as folder,
    ):
        dbt = DbtInvocations(context, project, settings, arguments, folder)
        lineage = ColumnLineage(project, reader, context.log.debug)
        describer = Describer(context, reader, lineage, folder, config.row_counts)
        for result in build_pending(dbt, {own, *(t.unique_id for t in project.tests(own))}):
            if result.unique_id == own and result.outcome in {"success", "warn"}:
                failed = _tell_built(context, model, window, result, describer)
            elif result.unique_id in project.checks and result.outcome != "skipped":
                context.log_event(evaluation(check_result(project, result)))
    dbt.raise_failures()
    if failed:
        raise dg.Failure(f"checks failed: {', '.join(failed)}", allow_retries=False)


def _tell_built(
    context: dg.OpExecutionContext,
    model: Model,
    window: Window,
    result: NodeResult,
    describer: Describer,
) -> list[str]:
    """Record the materialization and the checks; return the blocking ones that failed."""
    columns = describer.columns(model)
    checks: list[dg.AssetCheckResult] = []
    if model.meta.checks and model.relation:  # before it is told: they look at the load before it
        checks += table_checks(
            context.instance,
            model.key,
            model.meta.checks,
            model.relation,
            describer.reader,
            columns=columns,
        )
    metadata = describer.metadata(model, result, columns)
    span = f"{window.start} to {window.end}"
    context.log_event(dg.AssetMaterialization(model.key, metadata={**metadata, "window": span}))
    for check in checks:
        context.log_event(evaluation(check))
    blocking = model.meta.checks is not None and model.meta.checks.blocking
    return [str(check.check_name) for check in checks if blocking and not check.passed]

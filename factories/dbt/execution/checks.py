"""dbt's tests and the freshness of sources, as results of Dagster's asset checks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import AssetCheckEvaluation

from factories.core.execution.run_watchdog import terminate_when_run_ends
from factories.core.execution.table_reader import TableReader
from factories.core.execution.temp_folders import temporary_step_folder
from factories.core.warehouse.fail_on_loss import fail_when_warehouse_is_lost
from factories.core.warehouse.names import warehouse_names
from factories.core.warehouse.settings import WarehouseSettings
from factories.dbt.execution.events import NodeResult
from factories.dbt.execution.invocation import SKIPPED, DbtInvocations, log_parse_warnings
from factories.dbt.execution.missing_tables import exists, unknown_result
from factories.dbt.execution.process import SOURCE_FRESHNESS, DbtProcess
from factories.dbt.project.project import DbtProject
from factories.dbt.run_config import BuildOptions

ARTIFACT = "sources.json"
PASSED = "pass"
WARNS = "warn"


def check_result(project: DbtProject, result: NodeResult) -> dg.AssetCheckResult:
    """Return the result of a dbt test as the result of its check."""
    test = project.manifest.tests[result.unique_id]
    check = project.checks[result.unique_id]
    warns = result.outcome == "warn" or test.severity == "warn"
    return dg.AssetCheckResult(
        asset_key=check.asset_key,
        check_name=check.name,
        passed=result.outcome == "success",
        severity=dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR,
        metadata={"seconds": round(result.seconds, 3), "rows_that_fail": result.failures},
    )


def check_evaluation(result: dg.AssetCheckResult) -> Any:
    """Return the result as an event, for a step whose own checks do not include this one.

    It can be yielded, or passed to `log_event`, whose annotation does not allow it.
    """
    assert result.asset_key  # noqa: S101 - as all results of this project
    assert result.check_name  # noqa: S101 - as above
    return AssetCheckEvaluation(
        result.asset_key,
        result.check_name,
        result.passed,
        result.metadata,
        severity=result.severity,
        description=result.description,
    )


def selected_tests(context: Any, project: DbtProject) -> set[str]:
    """Return the unique ids of the tests whose checks a step has selected."""
    selected = context.selected_asset_check_keys
    return {uid for uid, check in project.checks.items() if check.key in selected}


def check_sources(
    context: dg.AssetCheckExecutionContext, project: DbtProject, settings: WarehouseSettings
) -> Iterator[dg.AssetCheckResult]:
    """Run the selected checks of sources: how fresh they are, then their tests.

    Raises:
        dagster.Failure: When dbt reports nothing about a source, or a test cannot run.
    """
    selected = context.selected_asset_check_keys
    log_parse_warnings(context, project)
    if any(check.key in selected for check in project.freshness_checks.values()):
        yield from _run_source_freshness(context, project, settings)
    if selected_tests(context, project):
        yield from _run_source_tests(context, project, settings)


def _run_source_tests(
    context: dg.AssetCheckExecutionContext, project: DbtProject, settings: WarehouseSettings
) -> Iterator[dg.AssetCheckResult]:
    """Run the selected tests of sources in one `dbt test`.

    Raises:
        dagster.Failure: When a test cannot run.
    """
    arguments = BuildOptions().arguments(None)
    with (
        terminate_when_run_ends(context),
        fail_when_warehouse_is_lost(settings),
        temporary_step_folder("dbt") as folder,
    ):
        dbt = DbtInvocations(context, project, settings, arguments, folder)
        for result in dbt.run(selected_tests(context, project)):
            if result.outcome != SKIPPED:
                yield check_result(project, result)
        dbt.raise_not_run()


def _run_source_freshness(
    context: dg.AssetCheckExecutionContext, project: DbtProject, settings: WarehouseSettings
) -> Iterator[dg.AssetCheckResult]:
    """Ask once how fresh the selected sources are.

    The check of a table that is older than `warn_after` fails with severity WARN, as that of one
    that nobody has made yet, which dbt is not asked about; of one that is older than `error_after`,
    or cannot be queried, with severity ERROR.

    Raises:
        dagster.Failure: When dbt reports nothing about a source.
    """
    selected = context.selected_asset_check_keys
    checks = {uid: c for uid, c in project.freshness_checks.items() if c.key in selected}
    with closing(TableReader(settings, warehouse_names())) as reader:
        missing = {
            uid: relation
            for uid in checks
            if (relation := project.relation(uid)) and not exists(reader, relation)
        }
    for uid, relation in missing.items():
        yield unknown_result(checks.pop(uid), f"{relation} does not exist yet.", {})
    if not checks:
        return
    arguments = BuildOptions().arguments(None)
    with (
        terminate_when_run_ends(context),
        fail_when_warehouse_is_lost(settings),
        temporary_step_folder("dbt") as folder,
    ):
        dbt = DbtProcess(context, project.folder, settings, arguments, folder)
        selection = ["--select", *(project.manifest.sources[uid].selector for uid in checks)]
        for _ in dbt.run(SOURCE_FRESHNESS, selection):
            """Only nodes have results here; dbt writes those of sources to an artifact."""
        found = _findings(folder / ARTIFACT)
    unknown = []
    for uid, check in checks.items():
        errors = dbt.mask("; ".join(dbt.log.messages.get(uid, ())))
        if uid in found or errors:  # dbt's artifact lacks the tables that it could not query
            yield _freshness_result(check, found.get(uid, {}), errors)
        else:
            unknown.append(uid)
    if unknown:
        errors = dbt.mask("; ".join(dbt.log.errors)) or "dbt gave no reason; its log is above"
        raise dg.Failure(f"no freshness of {', '.join(unknown)}: {errors}", allow_retries=False)


def _findings(artifact: Path) -> dict[str, Mapping[str, Any]]:
    if not artifact.is_file():
        return {}
    return {found["unique_id"]: found for found in json.loads(artifact.read_bytes())["results"]}


def _freshness_result(
    check: dg.AssetCheckSpec, found: Mapping[str, Any], errors: str
) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {}
    if loaded := found.get("max_loaded_at"):
        metadata["last_loaded"] = loaded
        metadata["age_in_seconds"] = round(float(found["max_loaded_at_time_ago_in_s"]))
    status = str(found.get("status", "")).lower()
    return dg.AssetCheckResult(
        asset_key=check.asset_key,
        check_name=check.name,
        passed=status == PASSED,
        severity=dg.AssetCheckSeverity.WARN if status == WARNS else dg.AssetCheckSeverity.ERROR,
        description=None if loaded else errors or str(found.get("error")),
        metadata=metadata,
    )

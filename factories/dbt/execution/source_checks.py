"""The checks of the sources that a dbt project reads: their tests, and how fresh they are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from factories.core.execution.run_watchdog import terminate_when_run_ends
from factories.core.execution.temp_folders import temporary_step_folder
from factories.core.warehouse.settings import warehouse_settings
from factories.dbt.execution.checks import check_result
from factories.dbt.execution.command import SOURCE_FRESHNESS, BuildOptions
from factories.dbt.execution.invocation import SKIPPED, DbtInvocations
from factories.dbt.execution.process import DbtProcess
from factories.dbt.execution.refusals import refusals_told
from factories.dbt.execution.run import selected_tests
from factories.dbt.project.project import DbtProject

ARTIFACT = "sources.json"
PASSED = "pass"
WARNS = "warn"


def run_source_tests(
    context: dg.AssetCheckExecutionContext, project: DbtProject
) -> Iterator[dg.AssetCheckResult]:
    """Run the selected tests of sources in one `dbt test`.

    Raises:
        dagster.Failure: When nothing can run, or a test cannot.
    """
    with refusals_told():
        settings = warehouse_settings()
    arguments = BuildOptions().arguments(None)
    with terminate_when_run_ends(context), temporary_step_folder("dbt") as folder:
        dbt = DbtInvocations(context, project, settings, arguments, folder)
        for result in dbt.run(selected_tests(context, project)):
            if result.outcome != SKIPPED:
                yield check_result(project, result)
    dbt.raise_unknown()


def run_source_freshness(
    context: dg.AssetCheckExecutionContext, project: DbtProject
) -> Iterator[dg.AssetCheckResult]:
    """Ask once how fresh the selected sources are.

    A table that is older than `warn_after` fails its check with severity WARN, one older than
    `error_after`, and one that cannot be asked, with severity ERROR.

    Raises:
        dagster.Failure: When dbt tells nothing of a source.
    """
    wanted = context.selected_asset_check_keys
    checks = {uid: c for uid, c in project.freshness_checks.items() if c.key in wanted}
    with refusals_told():
        settings = warehouse_settings()
    arguments = BuildOptions().arguments(None)
    with terminate_when_run_ends(context), temporary_step_folder("dbt") as folder:
        dbt = DbtProcess(context, project.folder, settings, arguments, folder)
        selection = ["--select", *(project.manifest.sources[uid].selector for uid in checks)]
        for _ in dbt.run(SOURCE_FRESHNESS, selection):
            """Only nodes have results here; those of sources are in dbt's artifact."""
        found = _findings(folder / ARTIFACT)
    unknown = []
    for uid, check in checks.items():
        said = dbt.mask("; ".join(dbt.log.messages.get(uid, ())))
        if uid in found or said:  # dbt's artifact lacks the tables that it could not ask
            yield _result(check, found.get(uid, {}), said)
        else:
            unknown.append(uid)
    if unknown:
        said = dbt.mask("; ".join(dbt.log.errors)) or "dbt told nothing; its log is above"
        raise dg.Failure(f"no freshness of {', '.join(unknown)}: {said}", allow_retries=False)


def _findings(artifact: Path) -> dict[str, Mapping[str, Any]]:
    if not artifact.is_file():
        return {}
    return {found["unique_id"]: found for found in json.loads(artifact.read_bytes())["results"]}


def _result(check: dg.AssetCheckSpec, found: Mapping[str, Any], said: str) -> dg.AssetCheckResult:
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
        description=None if loaded else said or str(found.get("error")),
        metadata=metadata,
    )

"""What became of a dbt test, as the result of an asset's check."""

from __future__ import annotations

from typing import Any

import dagster as dg
from dagster import AssetCheckEvaluation

from factories.dbt.execution.events import NodeResult
from factories.dbt.project.project import DbtProject


def check_result(project: DbtProject, result: NodeResult) -> dg.AssetCheckResult:
    """Return the result of a test as that of its check."""
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


def evaluation(result: dg.AssetCheckResult) -> Any:
    """Return it as an event, for a step that has not the check among its own.

    It can be yielded, or given to `log_event`, whose annotation does not name it.
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

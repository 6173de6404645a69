"""The data versions that a run's materializations have, for tests that compare them."""

from __future__ import annotations

import dagster as dg

from factories.core.conditions.versions import given_version


def data_versions(
    result: dg.ExecuteInProcessResult | dg.JobExecutionResult,
) -> dict[str, str | None]:
    """The version that the step gave each asset that it made, by the last part of its key."""
    return {
        event.materialization.asset_key.path[-1]: given_version(event.materialization.tags or {})
        for event in result.get_asset_materialization_events()
    }

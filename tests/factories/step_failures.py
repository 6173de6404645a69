"""What a step's failure says of each of its assets."""

from __future__ import annotations

import dagster as dg

from factories.core.conditions.run_outcome import FAILED_ASSETS


def resume(run_id: str) -> dict[str, str]:
    """The tags of a run that the UI starts again from the step that failed."""
    return {"dagster/is_resume_retry": "true", "dagster/parent_run_id": run_id}


def failed_assets(result: dg.ExecuteInProcessResult | dg.JobExecutionResult) -> dict[str, str]:
    """Why each asset failed, by the last part of its key, as the only failed step says it."""
    (event,) = (event for event in result.all_events if event.is_step_failure)
    failure = event.step_failure_data.user_failure_data
    assert failure is not None
    reasons = failure.metadata[FAILED_ASSETS].value
    assert isinstance(reasons, dict)
    return {key.rpartition("/")[2]: why for key, why in reasons.items()}

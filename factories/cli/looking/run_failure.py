"""Why a run failed: each asset by the error of its own step, from the run's events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from factories.cli.running.run_events import FAILURE, LOST
from factories.core.execution.failures import FAILED_ASSETS

KINDS = {
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.ENGINE_EVENT,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.STEP_FAILURE,
}
# Dagster's own words around what a step raised.
AROUND = "DagsterExecutionStepExecutionError"


@dataclass(frozen=True)
class RunFailure:
    """Why a run failed.

    Attributes:
        at: When.
        text: The first line of its first step's error, else of its own.
        assets: The first line of each asset's error, by key.
    """

    at: float
    text: str
    assets: dict[str, str]


@dataclass
class _Step:
    """One step of the run.

    Attributes:
        planned: The assets that it is to make.
        error: Why it failed; None when it did not.
        reasons: Why single assets failed, where the step says it.
    """

    planned: set[str] = field(default_factory=set)
    error: str | None = None
    reasons: dict[str, str] = field(default_factory=dict)


def read_failure(instance: dg.DagsterInstance, record: dg.RunRecord) -> RunFailure:
    """Return why a failed run has failed."""
    steps: defaultdict[str, _Step] = defaultdict(_Step)
    made: set[str] = set()
    of_run = lost = ""
    at = record.end_time or record.update_timestamp.timestamp()
    for entry in instance.all_logs(record.dagster_run.run_id, of_type=KINDS):
        event = entry.get_dagster_event()
        match event.event_type:
            case dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED if event.asset_key:
                steps[event.step_key or ""].planned.add(event.asset_key.to_user_string())
            case dg.DagsterEventType.ASSET_MATERIALIZATION if event.asset_key:
                made.add(event.asset_key.to_user_string())
            case dg.DagsterEventType.STEP_FAILURE:
                step = steps[event.step_key or ""]
                step.error = describe_error(event.step_failure_data.error) or event.message or ""
                step.reasons = _reasons(event)
            case dg.DagsterEventType.ENGINE_EVENT:
                found = LOST.fullmatch(event.message or "")
                lost = found[1] if found else lost
            case dg.DagsterEventType.RUN_FAILURE:
                at = entry.timestamp
                error = describe_error(event.job_failure_data.error)
                of_run = lost or error or event.message or ""
    errors = [(key, step.error) for key, step in steps.items() if step.error is not None]
    text = errors[0][1] if errors else first_line(of_run)
    assets: dict[str, str] = {}
    for step in steps.values():
        assets.update(_errors(step, made))
    # What is left was not tried: below what failed, or because the run itself did.
    reason = f"not tried, as the step {errors[0][0]} failed: {text}" if errors else text
    for step in steps.values():
        for key in step.planned - made - assets.keys():
            assets[key] = reason
    return RunFailure(at, text, assets)


def _errors(step: _Step, made: set[str]) -> Iterator[tuple[str, str]]:
    """Yield what to tell of a step's assets.

    Those that it names or has not made; all, when all were made before it failed.
    """
    if step.error is None:
        return
    about = (step.planned & step.reasons.keys()) | (step.planned - made)
    for key in about or step.planned:
        yield key, first_line(step.reasons.get(key, step.error))


def _reasons(event: dg.DagsterEvent) -> dict[str, str]:
    failure = event.step_failure_data.user_failure_data
    named = failure.metadata.get(FAILED_ASSETS) if failure else None
    data = named.data if isinstance(named, dg.JsonMetadataValue) else None
    return {str(key): str(why) for key, why in data.items()} if isinstance(data, dict) else {}


def describe_error(error: SerializableErrorInfo | None) -> str:
    """Return the first line of an error, of what was raised rather than what Dagster says of it."""
    while error and error.cls_name == AROUND and error.cause:
        error = error.cause
    return first_line(error.message.strip().removeprefix(FAILURE)) if error else ""


def first_line(text: str) -> str:
    """Return the first line of a text that says anything."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")

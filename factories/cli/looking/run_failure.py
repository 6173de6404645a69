"""Why a run failed: each asset by the error of its own step, from the run's events."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from factories.cli.running.run_events import FAILURE, LOST
from factories.core.conditions.run_outcome import OF_OUTCOMES, RunOutcome

KINDS = OF_OUTCOMES | {dg.DagsterEventType.ENGINE_EVENT, dg.DagsterEventType.RUN_FAILURE}
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


def read_failure(instance: dg.DagsterInstance, record: dg.RunRecord) -> RunFailure:
    """Return why a failed run has failed."""
    outcome = RunOutcome()
    errors: dict[str, str] = {}
    of_run = lost = ""
    at = record.end_time or record.update_timestamp.timestamp()
    for entry in instance.all_logs(record.dagster_run.run_id, of_type={*KINDS}):
        event = entry.get_dagster_event()
        outcome.take(event)
        match event.event_type:
            case dg.DagsterEventType.STEP_FAILURE:
                error = describe_error(event.step_failure_data.error) or event.message or ""
                errors[event.step_key or ""] = error
            case dg.DagsterEventType.ENGINE_EVENT:
                found = LOST.fullmatch(event.message or "")
                lost = found[1] if found else lost
            case dg.DagsterEventType.RUN_FAILURE:
                at = entry.timestamp
                error = describe_error(event.job_failure_data.error)
                of_run = lost or error or event.message or ""
    step, text = next(iter(errors.items()), ("", first_line(of_run)))
    assets = {
        key: first_line(outcome.steps[failed].reasons.get(key, why))
        for failed, why in errors.items()
        for key in outcome.failed_in(failed) | outcome.left_out_in(failed)
    }
    # What is left was not tried: below what failed, or because the run itself did.
    reason = f"not tried, as the step {step} failed: {text}" if errors else text
    for key in outcome.planned - outcome.made - assets.keys():
        assets[key] = reason
    return RunFailure(at, text, assets)


def describe_error(error: SerializableErrorInfo | None) -> str:
    """Return the first line of an error, of what was raised rather than what Dagster says of it."""
    while error and error.cls_name == AROUND and error.cause:
        error = error.cause
    return first_line(error.message.strip().removeprefix(FAILURE)) if error else ""


def first_line(text: str) -> str:
    """Return the first line of a text that says anything."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")

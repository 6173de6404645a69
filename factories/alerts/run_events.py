"""The events of one run, as far as they say what went wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from factories.alerts.causes import Cause, find_cause, last_lines
from factories.alerts.place import Place
from factories.core.conditions.run_outcome import OF_OUTCOMES, RunOutcome

PAGE = 2_000
IN_PROGRESS = frozenset(
    {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.STEP_UP_FOR_RETRY}
)  # fmt: skip
OF_FAILURES = OF_OUTCOMES | {
    dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
    dg.DagsterEventType.RUN_FAILURE,
}
OF_SUCCESSES = frozenset({dg.DagsterEventType.ASSET_CHECK_EVALUATION})


@dataclass
class RunStep:
    """One step of a run.

    Attributes:
        checks: The assets that it checks, each with the check's name.
        error: Why it failed when it was last tried; None when it did not.
        succeeded: Whether it has succeeded.
    """

    checks: list[tuple[str, str]] = field(default_factory=list)
    error: StepError | None = None
    succeeded: bool = False


@dataclass(frozen=True)
class StepError:
    """Why a step failed when it was last tried.

    Attributes:
        cause: The error.
        reasons: Why single assets failed, where the step says it.
        at: When.
        times: How often it has failed in the run.
        gives_up: Whether it is not tried again.
    """

    cause: Cause
    reasons: Mapping[str, str]
    at: float
    times: int
    gives_up: bool


class RunEvents:
    """What the events of one run say of its steps, assets and checks.

    Attributes:
        run: The run.
        place: Where it belongs.
        steps: By their names.
        outcome: What has become of the assets.
        checks: What was evaluated, and when.
        error: Why the run itself failed, where no step is to blame, and when.
    """

    def __init__(self, run: dg.DagsterRun, place: Place) -> None:
        """Take the run, and where it belongs."""
        self.run = run
        self.place = place
        self.steps: defaultdict[str, RunStep] = defaultdict(RunStep)
        self.outcome = RunOutcome()
        self.checks: list[tuple[Any, float]] = []
        self.error: tuple[Cause, float | None] | None = None

    def read(
        self,
        instance: dg.DagsterInstance,
        of_type: frozenset[dg.DagsterEventType],
    ) -> None:
        """Read the run's events.

        Args:
            instance: Where they are stored.
            of_type: Which events to read.

        An event that cannot be read, such as one of a later version, must not keep all others from
        being told: what is known until then counts.
        """
        try:
            self._read(instance, of_type)
        except Exception as error:  # noqa: BLE001 - whatever Dagster's storage raises
            text = f"the events of the run cannot be read: {type(error).__name__}: {error}"
            self.error = Cause(type(error).__name__, self.place.mask(last_lines(text))), None

    def _read(self, instance: dg.DagsterInstance, of_type: frozenset[dg.DagsterEventType]) -> None:
        cursor: str | None = None
        has_more = True
        while has_more:
            page = instance.get_records_for_run(self.run.run_id, cursor, set(of_type), PAGE)
            for record in page.records:
                entry = record.event_log_entry
                if entry.dagster_event is not None:
                    self._take(entry.dagster_event, entry.timestamp)
            cursor, has_more = page.cursor, page.has_more

    def _take(self, event: dg.DagsterEvent, at: float) -> None:
        self.outcome.take(event)
        step = event.step_key or ""
        data: Any = event.event_specific_data
        kind = dg.DagsterEventType
        match event.event_type:
            case kind.ASSET_CHECK_EVALUATION_PLANNED:
                checked = data.asset_key.to_user_string()
                self.steps[step].checks.append((checked, data.check_name))
            case kind.ASSET_CHECK_EVALUATION:
                self.checks.append((data, at))
            case kind.STEP_FAILURE | kind.STEP_UP_FOR_RETRY:
                before = self.steps[step].error
                self.steps[step].error = StepError(
                    self._cause(data.error, event.message or ""),
                    self._reasons(step),
                    at,
                    1 + (before.times if before else 0),
                    event.event_type is kind.STEP_FAILURE,
                )
            case kind.STEP_SUCCESS:
                self.steps[step].error = None
                self.steps[step].succeeded = True
            case kind.RUN_FAILURE:
                error = data.error if data and not data.first_step_failure_event else None
                self.error = self._cause(error, event.message or "the run failed"), at

    def _cause(self, error: Any, otherwise: str) -> Cause:
        cause = find_cause(error, otherwise)
        return Cause(cause.exception, self.place.mask(cause.text))

    def _reasons(self, step: str) -> Mapping[str, str]:
        reasons = self.outcome.steps[step].reasons
        return {key: self.place.mask(last_lines(why)) for key, why in reasons.items()}

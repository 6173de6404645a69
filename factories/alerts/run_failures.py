"""What went wrong in one run, as occurrences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

import dagster as dg

from factories.alerts.causes import Cause
from factories.alerts.check_events import check_observation
from factories.alerts.models import Event, Severity
from factories.alerts.occurrences import JobSucceeded, Observation, Occurrence
from factories.alerts.run_events import RunEvents, RunStep, StepError

MAPPING_KEY = re.compile(r"\[[^\]]*\]")  # of a dynamic step, such as `load[a]`
ASSET_JOB = "__ASSET_JOB"  # Dagster's own, of whatever assets were chosen
WILL_RETRY = "dagster/will_retry"
MOST_HELD_BACK = 20


def failures_so_far(events: RunEvents) -> Iterator[Observation]:
    """Yield the steps that have failed so far, while the run goes on."""
    for name, step in events.steps.items():
        if step.error:
            event: Event = "step_failed" if step.error.gives_up else "attempt_failed"
            yield from _of_step(events, name, step, step.error, event)


def judge_ended_run(events: RunEvents, at: float) -> Iterator[Observation]:
    """Yield what the run that has ended says, at the time it did."""
    failed = events.run.status is dg.DagsterRunStatus.FAILURE
    told: set[str] = set()
    if failed:
        failures = [*_failures(events, at)]
        told = {asset for seen in failures for asset in seen.assets}
        checked = {data.asset_key.to_user_string() for data, _ in events.checks if not data.passed}
        for seen in failures:
            fails = not checked.isdisjoint(seen.assets)
            yield replace(seen, also=("check_failed",)) if fails else seen
    elif events.run.is_success:
        partition = events.run.tags.get("dagster/partition", "")
        steps = {MAPPING_KEY.sub("[…]", s) for s, step in events.steps.items() if step.succeeded}
        yield JobSucceeded(events.run.job_name, partition, at, frozenset({"", *steps}))
    yield from _of_checks(events, told)


def _failures(events: RunEvents, at: float) -> Iterator[Occurrence]:
    event: Event = "run_failed"
    if events.run.tags.get(WILL_RETRY, "").lower() == "true":
        event = "attempt_failed"  # Dagster repeats the run by itself
    steps = [(name, step, step.error) for name, step in events.steps.items() if step.error]
    found = _joined(
        seen for name, step, error in steps for seen in _of_step(events, name, step, error, event)
    )
    if not found:
        found = [_of_run(events, event, at)]
    failed = {asset for seen in found for asset in seen.assets}
    held_back = tuple(sorted(events.outcome.left_out - failed))
    for seen in found:
        yield _with_held_back(seen, held_back)


def _of_step(
    events: RunEvents, name: str, step: RunStep, error: StepError, event: Event
) -> Iterator[Occurrence]:
    """Yield a step's failure: for each asset, where the step says why each one failed."""
    plain = MAPPING_KEY.sub("[…]", name)
    planned = events.outcome.steps[name].planned
    partitions = tuple(sorted(set().union(*planned.values())))
    if error.reasons:
        for asset, why in sorted(error.reasons.items()):
            cause = Cause(error.cause.exception, why)
            key = events.place.key("step", plain, asset, cause.identity)
            yield _occurrence(
                events, event, key, error, cause, assets=(asset,), step=plain, partitions=partitions
            )
        return
    # Where they make no asset, their job tells steps of one name apart.
    job = "" if planned else events.run.job_name
    key = events.place.key("step", job, plain, error.cause.identity)
    seen = _occurrence(
        events, event, key, error, error.cause,
        assets=tuple(sorted(events.outcome.failed_in(name))), step=plain, partitions=partitions,
    )  # fmt: skip
    yield seen if planned else _without_assets(events, seen, step)


def _without_assets(events: RunEvents, seen: Occurrence, step: RunStep) -> Occurrence:
    """Return the failure of a step that makes no asset; those that it checks are concerned."""
    checked = tuple(sorted({asset for asset, _ in step.checks}))
    subject = seen.subject
    if len(step.checks) == 1:
        subject = f"check {step.checks[0][1]} of {checked[0]}"
    catalog = events.place.catalog
    return replace(
        seen, ends_with_step=True, subject=subject, assets=checked,
        owners=catalog.owners(checked), place=catalog.place(checked),
    )  # fmt: skip


def _occurrence(
    events: RunEvents,
    event: Event,
    key: str,
    error: StepError,
    cause: Cause,
    *,
    assets: tuple[str, ...],
    step: str,
    partitions: tuple[str, ...],
) -> Occurrence:
    severity: Severity = "warning" if event == "attempt_failed" else "error"
    partition = events.run.tags.get("dagster/partition")
    return Occurrence(
        key, event, severity, error.at,
        subject=assets[0] if len(assets) == 1 else f"step {step}",
        text=cause.text,
        exception=cause.exception,
        location=events.place.location,
        run_id=events.run.run_id,
        job=events.run.job_name,
        step=step,
        assets=assets,
        owners=events.place.catalog.owners(assets),
        partitions=partitions or ((partition,) if partition and not assets else ()),
        place=events.place.catalog.place(assets),
        link=f"/runs/{events.run.run_id}",
        group=events.run.run_id,
        times=error.times,
    )  # fmt: skip


def _of_run(events: RunEvents, event: Event, at: float) -> Occurrence:
    """Return the failure of a run none of whose steps has failed: its process was lost."""
    cause, when = events.error or (Cause("", "the run failed"), at)
    # One that had made everything concerns all of it: the next run of that ends the incident.
    assets = tuple(sorted(events.outcome.left_out or events.outcome.planned))
    error = StepError(cause, {}, when or at, 1, gives_up=True)
    key = events.place.key("run", events.run.job_name, *assets[:1], cause.identity)
    seen = _occurrence(events, event, key, error, cause, assets=assets, step="", partitions=())
    if len(assets) == 1:
        return seen
    job = events.run.job_name
    of_assets = job.startswith(ASSET_JOB)
    subject = "a run of assets" if of_assets else f"job {job}"
    return replace(seen, subject=subject, ends_with_step=not assets and not of_assets)


def _of_checks(events: RunEvents, told: set[str]) -> Iterator[Observation]:
    """Yield the checks; one of an asset whose failure is told belongs to that failure."""
    for data, at in events.checks:
        if not data.passed and data.asset_key.to_user_string() in told:
            continue
        yield check_observation(data, at, events.place, run=events.run)


def _joined(occurrences: Iterable[Occurrence]) -> list[Occurrence]:
    """Join the failures of one incident, such as those of a dynamic step's many parts."""
    by_key: dict[str, list[Occurrence]] = {}
    for seen in occurrences:
        by_key.setdefault(seen.key, []).append(seen)
    return [
        replace(
            parts[-1],
            times=sum(part.times for part in parts),
            assets=tuple(sorted({asset for part in parts for asset in part.assets})),
        )
        for parts in by_key.values()
    ]


def _with_held_back(seen: Occurrence, held_back: tuple[str, ...]) -> Occurrence:
    return replace(seen, held_back=held_back[:MOST_HELD_BACK])

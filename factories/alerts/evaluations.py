"""Evaluations of sensors, schedules and automation conditions that have failed."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from factories.alerts.causes import Cause, find_cause
from factories.alerts.occurrences import Observation, Occurrence, Recovery
from factories.alerts.place import Place
from factories.alerts.state import AlertState
from factories.core.dagster_internals import InstigatorState, InstigatorTick, TickStatus

EVALUATION = "evaluation"
MOST_TICKS = 50  # of one sensor, since it was looked at
FINISHED = (TickStatus.SUCCESS, TickStatus.SKIPPED, TickStatus.FAILURE)


def observe_evaluations(
    instance: dg.DagsterInstance, place: Place, state: AlertState, now: float
) -> Iterator[Observation]:
    """Yield the evaluations that have failed, those that work again, and those that are no more.

    Args:
        instance: Where they are stored.
        place: The code location.
        state: Says until when they are known; moved forward.
        now: The time.
    """
    # Dagster goes on to name those that the code no longer has.
    ours = [
        each
        for each in instigators(instance)
        if location_of(each) == place.location and each.instigator_name in place.catalog.instigators
    ]
    running = {each.instigator_name for each in ours}
    for incident in state.incidents.values():
        if incident.is_open and incident.group == EVALUATION and incident.step not in running:
            yield Recovery(incident.key, now, "is switched off")
    for each in ours:
        since = state.seen_ticks.setdefault(each.instigator_name, now)
        ticks = instance.get_ticks(
            each.instigator_origin_id,
            each.selector_id,
            after=since,
            limit=MOST_TICKS,
            statuses=[*FINISHED],
        )
        failing = {
            key
            for key, incident in state.incidents.items()
            if incident.group == EVALUATION and incident.step == each.instigator_name
        }
        for tick in reversed(ticks):
            state.seen_ticks[each.instigator_name] = tick.timestamp
            if tick.status is TickStatus.FAILURE:
                seen = _failure(tick, each, place)
                failing.add(seen.key)
                yield seen
            else:
                at = tick.end_timestamp or tick.timestamp
                yield from (Recovery(key, at) for key in sorted(failing))


def _failure(tick: InstigatorTick, of: InstigatorState, place: Place) -> Occurrence:
    name, at = of.instigator_name, tick.end_timestamp or tick.timestamp
    cause = find_cause(tick.error, "the evaluation failed")
    cause = Cause(cause.exception, place.mask(cause.text))
    kind = of.instigator_type.value.lower()
    return Occurrence(
        place.key(EVALUATION, name, cause.identity), "evaluation_failed", "error", at,
        subject=f"{kind} {name}",
        text=cause.text,
        exception=cause.exception,
        location=place.location,
        step=name,
        link=f"/locations/{place.location}/{kind}s/{name}",
        group=EVALUATION,
    )  # fmt: skip


def instigators(instance: dg.DagsterInstance) -> list[InstigatorState]:
    """Return the sensors and schedules that Dagster's daemon evaluates, of all code locations."""
    if instance.schedule_storage is None:  # of an instance that is only in memory
        return []
    return [each for each in instance.all_instigator_state() if each.is_running]


def location_of(instigator: InstigatorState) -> str:
    """Return the code location of a sensor or schedule."""
    return instigator.origin.repository_origin.code_location_origin.location_name

"""Incidents: failures that belong together. No clock, no network, no Dagster.

An incident begins with its first failure and ends when what failed works again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pydantic import BaseModel

from factories.alerts.models import SEVERITIES, Event, Severity
from factories.alerts.occurrences import JobSucceeded, Made, Observation, Occurrence, Recovery

MOST_RUNS = 20  # of an incident, whose failures are told apart
MOST_PARTITIONS = 2_000
FORGET_AFTER = 7 * 86_400.0  # without a new failure; what is observed as it is now is not forgotten
OF_NOW: frozenset[Event] = frozenset(
    {"freshness_violated", "evaluation_failed", "location_not_loading", "daemon_silent"}
)
OF_THE_LATEST = (
    "event", "subject", "text", "exception", "run_id", "job", "step", "place", "link", "group",
    "ends_with_step",
)  # fmt: skip


class Told(BaseModel):
    """What a channel was last told of an incident.

    Attributes:
        at: When.
        count: How often it had happened by then.
        ended: Whether that it was over.
        severity: How severe it was by then; None in what was noted before that counted.
    """

    at: float
    count: int
    ended: bool = False
    severity: Severity | None = None


class Incident(BaseModel):
    """Failures that belong together. The attributes of `Occurrence` are those of the latest.

    Attributes:
        first_at: When it began.
        last_at: When it happened last.
        failed_at: When each asset, and each of its partitions, failed last that was not made since.
        ended_at: Since when it is over.
        ended_how: Why, where what has failed does not work again.
        count: How often it has happened.
        in_runs: How often in each of the latest runs.
        told: What each channel was told.
        held_by: The asset upstream that has failed, while that is why this one is not told.
        quiet_until: When it may be told at the earliest.
    """

    key: str
    event: Event
    events: list[Event]
    severity: Severity
    location: str
    subject: str
    text: str
    exception: str = ""
    run_id: str = ""
    job: str = ""
    step: str = ""
    assets: list[str] = []
    owners: list[str] = []
    partitions: list[str] = []
    held_back: list[str] = []
    place: str = ""
    link: str = ""
    group: str = ""
    ends_with_step: bool = False
    first_at: float
    last_at: float
    failed_at: dict[str, dict[str, float]] = {}
    ended_at: float | None = None
    ended_how: str = ""
    count: int = 0
    in_runs: dict[str, int] = {}
    told: dict[str, Told] = {}
    held_by: str = ""
    quiet_until: float = 0.0

    @property
    def step_or_run(self) -> bool:
        """Whether a step or a run has failed, and not a check or anything outside of runs."""
        return bool(self.run_id) and self.event != "check_failed"

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.ended_at is None


Incidents = dict[str, Incident]


def observe(incidents: Incidents, observations: Iterable[Observation], now: float) -> None:
    """Take what was observed, the oldest first.

    Args:
        incidents: By their keys; changed.
        observations: In any order.
        now: The time, in seconds since 1970.
    """
    for seen in sorted(observations, key=lambda each: each.at):
        if isinstance(seen, Occurrence):
            _take(incidents, seen)
        elif isinstance(seen, Recovery):
            end(incidents, seen.key, seen.at, seen.how)
        elif isinstance(seen, Made):
            _mend(incidents, seen)
        else:
            _end_of_job(incidents, seen)
    for key, incident in [*incidents.items()]:
        stale = incident.is_open and now - incident.last_at > FORGET_AFTER
        if stale and not OF_NOW.intersection(incident.events):
            del incidents[key]  # nobody knows whether it is over


def end(incidents: Incidents, key: str, at: float, how: str = "") -> None:
    """Note that an incident is over, unless it has happened again since."""
    incident = incidents.get(key)
    if incident and incident.is_open and at >= incident.last_at:
        incident.ended_at, incident.ended_how = at, how


def _mend(incidents: Incidents, seen: Made) -> None:
    """Note that something was made; an incident is over when all that failed was."""
    incident = incidents.get(seen.key)
    if incident is None or not incident.is_open:
        return
    times = incident.failed_at.get(seen.asset, {})
    if seen.at > times.get(seen.partition, seen.at):
        del times[seen.partition]
    if not any(incident.failed_at.values()):
        end(incidents, seen.key, max(seen.at, incident.last_at))


def _end_of_job(incidents: Incidents, seen: JobSucceeded) -> None:
    for incident in incidents.values():
        of_job = incident.job == seen.job and incident.ends_with_step
        if of_job and incident.step in seen.steps and {*incident.partitions} <= {seen.partition}:
            end(incidents, incident.key, seen.at)


def _take(incidents: Incidents, seen: Occurrence) -> None:
    known = incidents.get(seen.key)
    if known is None:
        known = Incident(
            key=seen.key, event=seen.event, events=[seen.event], severity=seen.severity,
            location=seen.location, subject=seen.subject, text=seen.text,
            first_at=seen.at, last_at=seen.at,
        )  # fmt: skip
        incidents[seen.key] = known
    known.ended_at, known.ended_how = None, ""
    known.last_at = max(known.last_at, seen.at)
    known.count += max(0, seen.times - known.in_runs.get(seen.run_id, 0)) if seen.run_id else 1
    if seen.run_id:
        known.in_runs[seen.run_id] = max(seen.times, known.in_runs.get(seen.run_id, 0))
        known.in_runs = dict([*known.in_runs.items()][-MOST_RUNS:])
    known.events = [*dict.fromkeys([*known.events, seen.event, *seen.also])]
    known.severity = max(known.severity, seen.severity, key=SEVERITIES.index)
    for name in OF_THE_LATEST:
        setattr(known, name, getattr(seen, name))
    known.assets = sorted({*known.assets, *seen.assets})
    known.owners = sorted({*known.owners, *seen.owners})
    known.partitions = sorted({*known.partitions, *seen.partitions})[:MOST_PARTITIONS]
    known.held_back = [*seen.held_back]
    for asset in seen.assets:
        times = {
            **known.failed_at.get(asset, {}),
            **dict.fromkeys(seen.partitions or ("",), seen.at),
        }
        known.failed_at[asset] = dict([*times.items()][-MOST_PARTITIONS:])


def hold(
    incidents: Incidents, culprits: Callable[[Incident], str], now: float, rest: float
) -> None:
    """Keep quiet about what an upstream failure holds back, and for a while after that is repaired.

    Args:
        incidents: By their keys; changed.
        culprits: Returns the failed asset that holds an incident's assets back, empty if none does.
        now: The time.
        rest: Seconds that what was held back has to come back by itself.
    """
    for incident in incidents.values():
        if not incident.is_open or incident.told:
            continue
        held_by = culprits(incident)
        if incident.held_by and not held_by:
            incident.quiet_until = max(incident.quiet_until, now + rest)
        incident.held_by = held_by


def failing_assets(incidents: Incidents) -> Iterator[tuple[str, str]]:
    """Yield each asset that is not made while an incident is open, and what is to blame for it.

    A check that fails holds nothing back: where it blocks, its step fails too.
    """
    for incident in incidents.values():
        if incident.is_open and {*incident.events} != {"check_failed"}:
            for asset in incident.assets:
                yield asset, incident.held_by or asset

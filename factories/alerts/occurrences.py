"""What goes wrong, as it was observed: once for each failure, before anything is left out."""

from __future__ import annotations

from dataclasses import dataclass

from factories.alerts.models import Event, Severity


@dataclass(frozen=True)
class Occurrence:
    """One thing that went wrong.

    Attributes:
        key: The same for what is one incident: what failed, where, and of what.
        event: What happened.
        severity: How bad it is.
        at: When, in seconds since 1970.
        subject: What failed, for a title: `flight_ops/raw/flights`, `step load`, `sensor news`.
        text: Why: the error's last lines, without secrets.
        exception: The class of the user's error.
        run_id: The run in which it happened; empty outside of runs.
        job: The run's job.
        step: The step, without the mapping key of a dynamic one.
        assets: The assets that it concerns.
        owners: Who owns them.
        partitions: The partitions that failed.
        held_back: Assets that were not made because of it.
        place: File and line where the assets are declared.
        link: Where in Dagster's UI to look, below its address.
        location: The code location in which it happened.
        group: What one message tells together.
        times: How often it happened in the run so far.
        also: What else happened, and is told with it.
        ends_with_step: Whether it is over when its step succeeds; else when its assets are made.
    """

    key: str
    event: Event
    severity: Severity
    at: float
    subject: str
    text: str
    location: str
    exception: str = ""
    run_id: str = ""
    job: str = ""
    step: str = ""
    assets: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
    place: str = ""
    link: str = ""
    group: str = ""
    times: int = 1
    also: tuple[Event, ...] = ()
    ends_with_step: bool = False


@dataclass(frozen=True)
class Recovery:
    """One incident, by its key, is over.

    Attributes:
        key: Its key.
        at: Since when.
        how: Why, where what has failed does not work again: `is switched off`.
    """

    key: str
    at: float
    how: str = ""


@dataclass(frozen=True)
class Made:
    """An asset, or one of its partitions, that has failed was made: with the last, all is over.

    Attributes:
        key: Of the incident.
        asset: The asset.
        partition: The partition; empty when it has none.
        at: When.
    """

    key: str
    asset: str
    partition: str
    at: float


@dataclass(frozen=True)
class JobSucceeded:
    """A run of a job has succeeded: what failed in earlier ones, and makes no asset, is over.

    Attributes:
        job: The job.
        partition: Of the run; empty when it has none.
        at: When.
        steps: The steps that have succeeded; an empty one stands for the run itself.
    """

    job: str
    partition: str
    at: float
    steps: frozenset[str] = frozenset({""})


Observation = Occurrence | Recovery | Made | JobSucceeded

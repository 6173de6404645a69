"""Dagster's daemon and the other code locations, as far as one code location can see them.

A location that does not load cannot say so: its own sensors are not evaluated. Another one sees
that they have not been for long. The same holds for the daemons, by their heartbeats. While the
whole daemon is dead nothing is evaluated, this sensor included; it tells of the break afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from factories.alerts.evaluations import instigators, location_of
from factories.alerts.occurrences import Observation, Occurrence, Recovery
from factories.alerts.place import Place
from factories.alerts.state import AlertState
from factories.core.project import MARKER
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import read_yaml

DAEMON = "daemon"
LOCATION = "location"
GONE_AFTER = timedelta(days=7).total_seconds()  # a location that nobody names was taken away


def observe_platform(
    instance: dg.DagsterInstance,
    place: Place,
    state: AlertState,
    *,
    now: float,
    silent_after: float,
    root: Path,
) -> Iterator[Observation]:
    """Yield what is silent, and what is heard of again.

    Args:
        instance: Where heartbeats and evaluations are stored.
        place: The code location that watches.
        state: Says when the sensor was last evaluated; `awake_since` is moved.
        now: The time.
        silent_after: Seconds after which what says nothing counts as silent.
        root: The project folder, whose workspace names the code locations.
    """
    if state.last_tick is not None and now - state.last_tick > silent_after:
        yield from _break(place, state.last_tick, now)
    if state.last_tick is None or now - state.last_tick > silent_after:
        state.awake_since = now
    named = workspace_locations(root)
    heard = {**_daemons(instance), **_locations(instance, place, now, named)}
    for (kind, name), (last, error) in heard.items():
        key = place.key(kind, name)
        known = state.incidents.get(key)
        # After a break, everything has the same time to be heard of again.
        if now - max(last, state.awake_since) <= silent_after:
            if known and known.is_open and last > known.last_at:
                yield Recovery(key, last)
        elif known is None or not known.is_open:
            yield _silent((kind, name), last, place, error, key)
    yield from end_of_watch(state, now, but={place.key(*each) for each in heard})


def end_of_watch(
    state: AlertState, now: float, but: Collection[str] = frozenset()
) -> Iterator[Recovery]:
    """Yield the end of what nobody watches any longer: otherwise it would be told for ever.

    Args:
        state: Holds the incidents.
        now: The time.
        but: The incidents of what is watched.
    """
    for incident in state.incidents.values():
        if incident.is_open and incident.group in {DAEMON, LOCATION} and incident.key not in but:
            yield Recovery(incident.key, now, "is no longer watched")


def _break(place: Place, last: float, now: float) -> Iterator[Observation]:
    key = place.key(DAEMON, "break")
    until = datetime.fromtimestamp(now, tz=UTC).strftime("%H:%M:%S")
    yield Occurrence(
        key, "daemon_silent", "critical", last,
        subject="Dagster's daemon",
        text="nothing was evaluated in between, and no alert sent: the daemon did not run, or the"
        f" sensor `alerts` was off, until {until} UTC",
        location=place.location,
        link="/deployment/daemons",
        group=DAEMON,
    )  # fmt: skip
    yield Recovery(key, now)


def _daemons(instance: dg.DagsterInstance) -> dict[tuple[str, str], tuple[float, str]]:
    """Return when each daemon was last heard of, and what it last complained of."""
    found = {}
    heartbeats = instance.get_daemon_heartbeats()
    for kind in instance.get_required_daemon_types():
        if (heartbeat := heartbeats.get(kind)) is not None:
            errors = heartbeat.errors or ()
            found[DAEMON, kind] = heartbeat.timestamp, errors[0].message if errors else ""
    return found


def _locations(
    instance: dg.DagsterInstance, place: Place, now: float, named: set[str]
) -> dict[tuple[str, str], tuple[float, str]]:
    """Return when a sensor of each other code location was last evaluated."""
    found: dict[tuple[str, str], tuple[float, str]] = {}
    for each in instigators(instance):
        name, data = location_of(each), each.instigator_data
        last = getattr(data, "last_tick_start_timestamp", None) or getattr(
            data, "last_tick_timestamp", None
        )
        if name == place.location or not last:
            continue
        if name in named if named else now - last < GONE_AFTER:
            found[LOCATION, name] = max((last, ""), found.get((LOCATION, name), (0.0, "")))
    return found


def workspace_locations(root: Path) -> set[str]:
    """Return the names of the code locations in the project's workspace; empty without one."""
    problems: list[Problem] = []
    path = root / MARKER
    file = read_yaml(path, root=root, problems=problems) if path.is_file() else None
    entries: Any = file.data.get("load_from") if file else None
    return {
        str(source["location_name"])
        for entry in (entries if isinstance(entries, list) else ())
        for source in (entry.values() if isinstance(entry, dict) else ())
        if isinstance(source, dict) and "location_name" in source
    }


def _silent(of: tuple[str, str], last: float, place: Place, error: str, key: str) -> Occurrence:
    kind, name = of
    since = datetime.fromtimestamp(last, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    if kind == DAEMON:
        text = f"no sign of life since {since} UTC" + (
            f"; its last error: {error}" if error else ""
        )
        return Occurrence(
            key, "daemon_silent", "critical", last,
            subject=f"daemon {name}", text=place.mask(text), location=place.location,
            link="/deployment/daemons", group=DAEMON,
        )  # fmt: skip
    return Occurrence(
        key, "location_not_loading", "critical", last,
        subject=f"code location {name}",
        text=f"none of its sensors has been evaluated since {since} UTC: it does not load, or its"
        " server is gone",
        location=name, link="/deployment/locations", group=LOCATION,
    )  # fmt: skip

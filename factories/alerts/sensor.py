"""The sensor `alerts` of a code location: observes, decides, posts, and keeps what it knows."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import dagster as dg

from factories.alerts.catalog import AssetCatalog
from factories.alerts.config import Alerts
from factories.alerts.delivery import Address, Message, addresses, post
from factories.alerts.evaluations import observe_evaluations
from factories.alerts.incidents import Incident, failing_assets, hold, observe
from factories.alerts.messages import write_message
from factories.alerts.mutes import is_muted, read_mutes
from factories.alerts.notices import (
    Channel,
    Notice,
    drop_finished,
    find_notices,
    group,
    note_told,
)
from factories.alerts.observing import FRESHNESS, Observer, quiet_stale
from factories.alerts.occurrences import Observation
from factories.alerts.place import Place
from factories.alerts.platform import end_of_watch, observe_platform
from factories.alerts.routing import routes_of
from factories.alerts.secrets import MessageMask
from factories.alerts.state import AlertState, ChannelHealth, StateError, StateStore
from factories.core.project import project_root
from factories.core.yaml.variables import target

SENSOR = "alerts"
INTERVAL_SECONDS = 30
OBSERVING_SECONDS = 20.0  # of reading runs; after a break there may be thousands
POSTING_SECONDS = 30.0  # of one evaluation, which Dagster ends after 60
MOST_MESSAGES = 3  # alerts that a channel gets one by one in an evaluation; more become one
FIRST_WAIT, LONGEST_WAIT = 30.0, 600.0  # before a channel that is down is tried again
REST = 1_800.0  # what was held back by a failure has this long to come back by itself
GONE_AFTER = 3_600.0  # a location whose sensor was not evaluated for so long
DURING_RUNS = frozenset({"step_failed", "attempt_failed"})


def alerts_sensor(alerts: Alerts, environ: Mapping[str, str] = os.environ) -> dg.SensorDefinition:
    """Return the sensor that sends a code location's alerts.

    It is on where a route is for the target, unless `DP_ALERTS` is `off`: then it waits to be
    switched on in the UI.
    """
    off = environ.get("DP_ALERTS") == "off" or not alerts.active_routes()

    @dg.sensor(
        name=SENSOR,
        description=f"Tells the routes of {alerts.file.name} what goes wrong in this code location:"
        " one message for an incident, a reminder while it goes on, and one when it is over.",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.STOPPED if off else dg.DefaultSensorStatus.RUNNING,
    )
    def send_alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        return dg.SkipReason(evaluate(context, alerts))

    return send_alerts


def evaluate(
    context: dg.SensorEvaluationContext,
    alerts: Alerts,
    clock: Callable[[], float] = time.time,
) -> str:
    """Send what is due.

    Args:
        context: Dagster's.
        alerts: The code location's.
        clock: Returns the time, in seconds since 1970.

    Returns:
        What was done, for the sensor's page in the UI.
    """
    if not alerts.active_routes():
        return f"no route of {alerts.file.name} is for the target {target()}"
    return _Evaluation(context, alerts, clock).run()


class ObservingError(Exception):
    """Something could not be observed; what could was told. The evaluation counts as failed."""


@dataclass
class _Outcome:
    """How many messages have arrived, and how many are still to be told."""

    sent: int = 0
    waiting: int = 0


class _Evaluation:
    """One evaluation of the sensor."""

    def __init__(
        self, context: dg.SensorEvaluationContext, alerts: Alerts, clock: Callable[[], float]
    ) -> None:
        origin = context.code_location_origin
        self._context = context
        self._log: logging.Logger = context.log
        self._instance = context.instance
        self._alerts = alerts
        self._routes = alerts.active_routes()
        self._clock = clock
        self._environ = os.environ
        root = project_root()
        repository = context.repository_def
        if repository is None:
            raise dg.DagsterInvariantViolationError("the sensor needs its code location")
        self._place = Place(
            target(),
            origin.location_name if origin else "this code location",
            AssetCatalog(repository, root),
            MessageMask(self._environ, alerts.variables),
        )
        self._repository = context.repository_name if origin else None
        self._root = root
        self._store = StateStore(self._instance, self._place.target)
        self._state = AlertState(location=self._place.location)
        self._errors: list[str] = []
        self._is_behind = False
        self._addresses: dict[str, tuple[Channel, Address]] = {}
        self._channels: dict[str, list[Channel]] = {}

    def run(self) -> str:
        """Observe, then post; what is known is kept after each post."""
        now = self._clock()
        try:
            self._state = self._store.read(self._place.location)
        except StateError as error:
            self._log.error("%s: begins anew", error)
        self._open_channels()
        self._observe(now)
        self._state.last_tick = now
        self._store.write(self._state)
        outcome = self._post(now)
        pending = self._due(now, and_muted_ends=True)
        drop_finished(self._state.incidents, self._channels_of, pending, now)
        self._store.write(self._state)
        if self._errors:
            raise ObservingError("; ".join(self._errors))
        return self._describe(outcome)

    def _open_channels(self) -> None:
        for name, route in self._routes.items():
            remind = route.remind_every or self._alerts.settings.remind_every
            recovers = "asset_recovered" in route.tells
            self._channels[name] = []
            for address in addresses(name, route, self._environ):
                channel = Channel(address.name, remind.total_seconds(), recovers)
                self._addresses[address.name] = channel, address
                self._channels[name].append(channel)

    def _observe(self, now: float) -> None:
        state, place, instance = self._state, self._place, self._instance
        follows = any(not DURING_RUNS.isdisjoint(route.tells) for route in self._routes.values())
        ends = now + OBSERVING_SECONDS
        observer = Observer(
            instance,
            place,
            self._repository,
            follows=follows,
            is_late=lambda: self._clock() > ends,
        )
        if state.watched_until is None:
            observer.start(state, now)
        parts: list[Iterator[Observation]] = [
            *observer.observe(state, now),
            observe_evaluations(instance, place, state, now),
        ]
        if self._alerts.settings.watch == "platform":
            silent_after = self._alerts.settings.silent_after.total_seconds()
            parts.append(
                observe_platform(
                    instance, place, state, now=now, silent_after=silent_after, root=self._root
                )
            )
        else:
            parts.append(end_of_watch(state, now))
        observe(state.incidents, self._gather(parts), now)
        self._is_behind = observer.is_behind
        quiet_stale(state.incidents.values(), now)
        if any(each.group == FRESHNESS and each.is_open for each in state.incidents.values()):
            held = place.catalog.held_back(self._failing_anywhere(now))

            def culprit(each: Incident) -> str:
                # What has been tried, and has failed itself, is always told.
                return held.get(each.assets[0], "") if each.group == FRESHNESS else ""

            hold(state.incidents, culprit, now, REST)

    def _gather(self, parts: Iterable[Iterator[Observation]]) -> list[Observation]:
        """Return what was observed; what cannot be keeps nothing else from being told."""
        found: list[Observation] = []
        for part in parts:
            try:
                found.extend(part)
            except Exception as error:  # noqa: BLE001 - the evaluation fails with it at its end
                text = self._place.mask(f"{type(error).__name__}: {error}")
                self._errors.append(" ".join(text.split()))
        return found

    def _failing_anywhere(self, now: float) -> dict[str, str]:
        """Return the assets that fail or are held back in any location, each with the culprit."""
        found = dict(failing_assets(self._state.incidents))
        for other in self._store.others(self._place.location):
            # What one that was renamed or taken away has left behind must hold nothing back.
            if now - (other.last_tick or 0.0) < GONE_AFTER:
                found |= dict(failing_assets(other.incidents))
        return found

    def _channels_of(self, incident: Incident) -> Iterable[Channel]:
        names = routes_of(incident, self._routes, self._place.target, self._place.catalog.select)
        return [channel for name in names for channel in self._channels[name]]

    def _due(self, now: float, *, and_muted_ends: bool = False) -> list[Notice]:
        """Return what is to be told; also, of what a channel knows, ends that a mute holds back."""
        mutes = read_mutes(self._instance, now)

        def muted(incident: Incident, channel: Channel) -> bool:
            if and_muted_ends and channel.name in incident.told:
                return False
            route = channel.name.partition("/")[0]
            return is_muted(mutes, route, incident.assets)

        return find_notices(self._state.incidents, self._channels_of, muted, now)

    def _post(self, now: float) -> _Outcome:
        outcome = _Outcome()
        down: set[str] = set()
        for notice in group(self._due(now), MOST_MESSAGES):
            name = notice.channel.name
            health = self._state.channels.get(name)
            waits = health is not None and now < health.next_try
            # What comes later waits too: a channel is told the oldest first.
            if name in down or waits or self._clock() - now > POSTING_SECONDS:
                outcome.waiting += 1
                continue
            message = write_message(notice, self._place.target, self._alerts.base_url())
            error = self._try_to_post(self._addresses[name][1], message)
            if error:
                down.add(name)
                outcome.waiting += 1
                self._note_down(name, error, now)
            else:
                outcome.sent += 1
                note_told(notice, now)
                self._state.channels.pop(name, None)
            self._store.write(self._state)
        return outcome

    def _try_to_post(self, address: Address, message: Message) -> str:
        """Post a message; return why it has not arrived."""
        try:
            return post(address, message, self._environ)
        except Exception as error:  # noqa: BLE001 - a channel never fails the sensor
            return f"{type(error).__name__} while posting"  # its text may hold the address

    def _note_down(self, name: str, error: str, now: float) -> None:
        before = self._state.channels.get(name) or ChannelHealth(since=now)
        wait = min(FIRST_WAIT * 2**before.failures, LONGEST_WAIT)
        self._state.channels[name] = ChannelHealth(
            failures=before.failures + 1, since=before.since, next_try=now + wait, error=error
        )
        self._log.warning("the channel %s was not reached: %s", name, error)

    def _describe(self, outcome: _Outcome) -> str:
        open_now = [each for each in self._state.incidents.values() if each.is_open]
        parts = [f"{outcome.sent} sent, {len(open_now)} open"]
        if outcome.waiting:
            parts[0] += f", {outcome.waiting} waiting"
        parts += ["reads on: there are more runs than it had time for"] if self._is_behind else []
        parts += [f"skips {a.name}: {a.problem}" for _, a in self._addresses.values() if a.problem]
        parts += [
            f"{name} is down: {health.error}"
            for name, health in self._state.channels.items()
            if name in self._addresses and not self._addresses[name][1].problem
        ]
        return "; ".join(parts)

"""`dp alerts`: try a route, mute one or an asset for a while, and see what is open."""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rich.table import Table

from factories.alerts.config import FILE_NAME, Alerts, read_all_alerts
from factories.alerts.delivery import Message, addresses, post
from factories.alerts.mutes import Mute, add_mute, read_mutes
from factories.alerts.state import AlertState, StateError, StateStore
from factories.cli.serving.dagster_process import dagster_home
from factories.cli.serving.dagster_start import DagsterProcessError
from factories.core.project import project_root
from factories.core.yaml.models import parse_duration
from factories.core.yaml.problems import Problem, did_you_mean, format_problems, nearest
from factories.core.yaml.variables import target

if TYPE_CHECKING:
    import dagster as dg


SILENT_AFTER = 600.0  # seconds: a sensor is evaluated every 30
LONGEST_MUTE = timedelta(days=90)


class AlertsCommandError(Exception):
    """The command cannot do what was asked; the text says why."""


def read_all() -> list[Alerts]:
    """Return the alerts of every code location of the project.

    Raises:
        AlertsCommandError: When there are none, or a file has mistakes.
    """
    problems: list[Problem] = []
    found = read_all_alerts(project_root(), problems)
    if problems:
        raise AlertsCommandError(format_problems(problems))
    if not found:
        raise AlertsCommandError(f"no code location has a code_locations/<location>/{FILE_NAME}")
    return found


def test_route(name: str) -> Iterator[str]:
    """Post a message to every channel of a route; yield what became of each.

    Raises:
        AlertsCommandError: When there is no such route, or a channel was not reached.
    """
    every = read_all()
    chosen = [alerts for alerts in every if name in alerts.routes]
    if not chosen:
        known = sorted({route for alerts in every for route in alerts.routes})
        raise AlertsCommandError(
            f"there is no route {name!r}{did_you_mean(nearest(name, known))}"
            f" (routes: {', '.join(known)})"
        )
    failed = 0
    for alerts in chosen:
        message = Message(
            f"[{target()}] a test of the route {name}",
            f"{getpass.getuser()} tries the route {name} of {alerts.file.name}."
            f" Nothing is wrong.\n\n{alerts.base_url()}",
            "info",
        )
        for address in addresses(name, alerts.routes[name], os.environ):
            error = post(address, message, os.environ)
            failed += bool(error)
            yield f"{alerts.file.name}: {address.name}: {error or 'has taken the message'}"
    if failed:
        raise AlertsCommandError(f"{failed} channel{'' if failed == 1 else 's'} not reached")


def mute(name: str, duration: str, reason: str) -> str:
    """Mute a route or an asset; return what was done.

    Raises:
        AlertsCommandError: When there is no such route or asset, or the duration is none.
    """
    try:
        span = parse_duration(duration)
    except ValueError as error:
        raise AlertsCommandError(f"--for {duration}: {error}") from None
    if span > LONGEST_MUTE:
        raise AlertsCommandError(f"--for {duration}: a mute of 90d at most; make a new one then")
    now = time.time()
    routes = {route for alerts in read_all() for route in alerts.routes}
    with open_instance() as instance:
        if name not in routes:
            assets = {key.to_user_string() for key in instance.get_asset_keys()}
            if name not in assets:
                near = did_you_mean(nearest(name, [*routes, *assets]))
                raise AlertsCommandError(
                    f"{name!r} is neither a route nor an asset that has ever been run{near}"
                    f" (routes: {', '.join(sorted(routes))})"
                )
        until = now + span.total_seconds()
        made = Mute(name=name, until=until, reason=reason, by=getpass.getuser())
        add_mute(instance, made, now)
    if not span:
        return f"{name} is told again"
    return f"{name} is muted until {_when(until)}; `dp alerts mute {name} --for 0s` ends that"


def list_alerts() -> Iterator[Table | str]:
    """Yield tables of routes, incidents that are open, channels that are down, and mutes."""
    every = read_all()
    yield _routes(every)
    now = time.time()
    with open_instance() as instance:
        states = list(_states(StateStore(instance, target())))
        read = [state for state in states if isinstance(state, AlertState)]
        yield from _incidents(read)
        yield from _not_evaluated(read, now)
        yield from (state for state in states if isinstance(state, str))
        yield from _mutes(read_mutes(instance, now))


def _states(store: StateStore) -> Iterator[AlertState | str]:
    for name in store.locations():
        try:
            yield store.read(name)
        except StateError as error:
            yield str(error)


def _routes(every: Sequence[Alerts]) -> Table:
    table = Table("route", "file", "channels", title=f"routes, target {target()}")
    for alerts in every:
        active = alerts.active_routes()
        for name, route in alerts.routes.items():
            channels = "not on this target"
            if name in active:
                found = addresses(name, route, os.environ)
                channels = ", ".join(each.problem or each.variable for each in found)
            table.add_row(name, alerts.file.name, channels)
    return table


def _incidents(states: Sequence[AlertState]) -> Iterator[Table | str]:
    table = Table("since", "location", "what", "times", "told", title="open incidents")
    for state in states:
        for incident in sorted(state.incidents.values(), key=lambda each: each.first_at):
            if not incident.is_open:
                continue
            told = ", ".join(sorted(incident.told)) or "nobody"
            if incident.held_by:
                told = f"held back by {incident.held_by}"
            table.add_row(
                _when(incident.first_at),
                state.location,
                f"{incident.subject}: {incident.text.splitlines()[0] if incident.text else ''}",
                str(incident.count),
                told,
            )
    yield table if table.row_count else "no incident is open"
    for state in states:
        for name, health in state.channels.items():
            since = _when(health.since)
            yield f"{state.location}: {name} is not reached since {since}: {health.error}"


def _not_evaluated(states: Sequence[AlertState], now: float) -> Iterator[str]:
    """Yield the code locations whose sensor sends nothing: it is off, or they are gone."""
    for state in states:
        if state.last_tick is not None and now - state.last_tick > SILENT_AFTER:
            since = _when(state.last_tick)
            yield f"{state.location}: the sensor `alerts` was last evaluated {since}"


def _mutes(mutes: Sequence[Mute]) -> Iterator[Table]:
    table = Table("muted", "until", "by", "reason")
    for each in mutes:
        table.add_row(each.name, _when(each.until), each.by, each.reason)
    if mutes:
        yield table


@contextmanager
def open_instance() -> Iterator[dg.DagsterInstance]:
    """Open the Dagster instance of the project, or the one of `DAGSTER_HOME`."""
    import dagster as dg  # noqa: PLC0415 - a second, which other commands need not pay

    try:
        home = dagster_home(project_root())
    except DagsterProcessError as error:
        raise AlertsCommandError(str(error)) from None
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")

"""What channels are told of incidents, and when. No clock, no network, no Dagster.

A channel is told of an incident once, and once more when it becomes more severe; is reminded when
it goes on, and is told of its end. What a channel was told is noted only after the post has
succeeded, so that whatever happens in between, it is told later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from factories.alerts.incidents import FORGET_AFTER, Incident, Incidents, Told
from factories.alerts.models import is_worse

Kind = Literal["alert", "reminder", "recovery"]


@dataclass(frozen=True)
class Channel:
    """One address of a route.

    Attributes:
        name: Tells it from the others: the route, the variable, and which address in it.
        remind_every: Seconds after which an incident that goes on is told again.
        tells_recovery: Whether it is told that an incident is over.
    """

    name: str
    remind_every: float
    tells_recovery: bool = True


@dataclass(frozen=True)
class Notice:
    """Something to tell a channel: incidents that one message holds."""

    channel: Channel
    kind: Kind
    incidents: Sequence[Incident]

    @property
    def since(self) -> float:
        """When the oldest of its incidents began."""
        return min(incident.first_at for incident in self.incidents)


ChannelsOf = Callable[[Incident], Iterable[Channel]]


def find_notices(
    incidents: Incidents,
    channels_of: ChannelsOf,
    is_muted: Callable[[Incident, Channel], bool],
    now: float,
) -> list[Notice]:
    """Return what is to be told now, one incident each, the oldest first."""
    found: list[Notice] = []
    for incident in incidents.values():
        for channel in channels_of(incident):
            kind = _due(incident, channel, now)
            if kind and not is_muted(incident, channel):
                found.append(Notice(channel, kind, [incident]))
    return sorted(found, key=lambda notice: (notice.since, notice.incidents[0].key))


def _due(incident: Incident, channel: Channel, now: float) -> Kind | None:
    told = incident.told.get(channel.name)
    if told is None or (told.ended and incident.is_open):
        is_quiet = incident.held_by or now < incident.quiet_until
        return None if is_quiet else "alert"
    if not incident.is_open:
        return "recovery" if channel.tells_recovery and not told.ended else None
    if told.severity and is_worse(incident.severity, told.severity):
        return "alert"
    return "reminder" if now - told.at >= channel.remind_every else None


def group(notices: Iterable[Notice], most: int) -> list[Notice]:
    """Join what one message can tell: alerts by their run, everything else by its kind.

    Args:
        notices: The oldest first.
        most: How many alerts a channel gets one by one; more become one.

    Returns:
        The messages, the oldest first.
    """
    by_message: dict[tuple[str, Kind, str], list[Notice]] = {}
    for notice in notices:
        of = notice.incidents[0]
        part = (of.group or of.key) if notice.kind == "alert" else ""
        by_message.setdefault((notice.channel.name, notice.kind, part), []).append(notice)
    alerts: dict[str, int] = {}
    for name, kind, _ in by_message:
        alerts[name] = alerts.get(name, 0) + (kind == "alert")
    joined: dict[tuple[str, Kind, str], list[Notice]] = {}
    for (name, kind, part), parts in by_message.items():
        whole = kind == "alert" and alerts[name] > most
        joined.setdefault((name, kind, "" if whole else part), []).extend(parts)
    made = (
        Notice(parts[0].channel, kind, [each.incidents[0] for each in parts])
        for (_, kind, _), parts in joined.items()
    )
    return sorted(made, key=lambda notice: notice.since)


def note_told(notice: Notice, now: float) -> None:
    """Note that a message has arrived."""
    for incident in notice.incidents:
        incident.told[notice.channel.name] = Told(
            at=now,
            count=incident.count,
            ended=not incident.is_open,
            severity=incident.severity,
        )


def drop_finished(
    incidents: Incidents, channels_of: ChannelsOf, pending: Iterable[Notice], now: float
) -> None:
    """Forget the incidents that are over, when nobody is still to be told of them."""
    waiting = {incident.key for notice in pending for incident in notice.incidents}
    for key, incident in [*incidents.items()]:
        if incident.is_open:
            continue
        too_old = now - incident.last_at > 2 * FORGET_AFTER
        if too_old or key not in waiting or not any(True for _ in channels_of(incident)):
            del incidents[key]

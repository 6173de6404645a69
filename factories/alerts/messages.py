"""What a channel is told, as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from factories.alerts.delivery import Message, Tone
from factories.alerts.incidents import Incident
from factories.alerts.models import SEVERITIES, Event
from factories.alerts.notices import Notice

# The text of an error must not call everybody in a chat.
PING = re.compile(r"(?<!\w)@(?=(?:everyone|here|channel)\b)")
MOST_SHOWN = 5  # incidents told in full; of more, the first lines
MOST_LISTED = 12
MOST_NAMES = 3
MOST_CHARACTERS = 1_900  # what the smallest of the common channels takes
# What happened, what goes on, and that it is over.
WORDS: dict[Event, str] = {
    "run_failed": "failed",
    "step_failed": "failed, its run goes on",
    "attempt_failed": "failed and is tried again",
    "check_failed": "failed",
    "freshness_violated": "is stale",
    "evaluation_failed": "could not be evaluated",
    "location_not_loading": "does not load",
    "daemon_silent": "is silent",
}


STILL: dict[Event, str] = {
    "run_failed": "still fails",
    "step_failed": "still fails",
    "attempt_failed": "still fails",
    "check_failed": "still fails",
    "freshness_violated": "is still stale",
    "evaluation_failed": "still cannot be evaluated",
    "location_not_loading": "still does not load",
    "daemon_silent": "is still silent",
}
OVER = "works again"


def write_message(notice: Notice, target: str, base_url: str) -> Message:
    """Return the message for what is to be told.

    Args:
        notice: The incidents, at least one.
        target: Where they happened, such as `prod`.
        base_url: Of Dagster's UI.
    """
    incidents = sorted(notice.incidents, key=lambda each: (each.first_at, each.subject))
    title = f"[{target}] {_headline(incidents, notice)}"
    held_back = _held_back(incidents)
    end = "\n\n".join(
        part
        for part in (
            f"Not made because of this: {held_back}" if held_back else "",
            "\n".join(_links(incidents, base_url)),
            _times(incidents, notice),
        )
        if part
    )
    # What is too long loses from the errors, and never the links.
    room = MOST_CHARACTERS - len(end) - 2
    if len(incidents) <= MOST_SHOWN:
        each_room = room // len(incidents) - 2
        parts = [_cut(_tell(each, notice), each_room) for each in incidents]
    else:
        parts = [_cut("\n".join(_list(incidents, notice)), room)]
    body = "\n\n".join([*parts, end] if end else parts)
    title, body = (PING.sub("@\u200b", text) for text in (title, body))
    return Message(title, body, _tone(incidents, notice))


def _headline(incidents: Sequence[Incident], notice: Notice) -> str:
    first = incidents[0]
    over = notice.kind == "recovery"
    if len(incidents) == 1:
        ended = first.ended_how or OVER
        words = {"alert": WORDS, "reminder": STILL}.get(notice.kind, {}).get(first.event, ended)
        words = f"{words}; it {ended}" if not over and not first.is_open else words
        return f"{first.location}: {first.subject} {words}"
    locations = _names({each.location for each in incidents})
    if over:
        return f"{locations}: {len(incidents)} incidents are over"
    if notice.kind == "reminder":
        return f"{locations}: {len(incidents)} incidents go on"
    if all(each.event == "freshness_violated" for each in incidents):
        return f"{locations}: {len(incidents)} assets are stale"
    return f"{locations}: {len(incidents)} failures"


def _tell(incident: Incident, notice: Notice) -> str:
    lines = [incident.subject]
    others = [asset for asset in incident.assets if asset != incident.subject]
    if others and incident.event != "check_failed":
        lines.append(f"assets: {_names(others, MOST_LISTED)}")
    if incident.partitions:
        lines.append(f"partitions: {_names(incident.partitions)}")
    if incident.owners:
        lines.append(f"owners: {', '.join(incident.owners)}")
    if notice.kind != "recovery" and incident.text:
        lines.append(incident.text)
    if incident.place:
        lines.append(f"declared at {incident.place}")
    if notice.kind == "reminder":
        lines.append(f"since {_when(incident.first_at)}")
    if not incident.is_open and incident.ended_at is not None:
        lines.append(f"failed from {_when(incident.first_at)} to {_when(incident.ended_at)}")
    return "\n".join(lines)


def _list(incidents: Sequence[Incident], notice: Notice) -> Iterator[str]:
    """Yield a line for each cause, and what it concerns, when there are many."""
    by_cause: dict[str, list[Incident]] = {}
    for each in incidents:
        first_line = each.text.splitlines()[0] if each.text and notice.kind != "recovery" else ""
        by_cause.setdefault(first_line, []).append(each)
    for number, (cause, parts) in enumerate(by_cause.items()):
        if number == MOST_LISTED:
            yield f"and {len(incidents) - _count(by_cause, number)} more"
            break
        places = {each.place for each in parts if each.place}
        place = f" ({next(iter(places))})" if len(places) == 1 else ""
        what = f"{_names([each.subject for each in parts])}{place}"
        yield f"{what}: {cause}" if cause else what
    if owners := sorted({owner for each in incidents for owner in each.owners}):
        yield f"owners: {_names(owners, MOST_LISTED)}"


def _count(by_cause: dict[str, list[Incident]], first: int) -> int:
    return sum(len(parts) for parts in [*by_cause.values()][:first])


def _held_back(incidents: Iterable[Incident]) -> str:
    concerned = {asset for each in incidents for asset in each.assets}
    held = {asset for each in incidents for asset in each.held_back} - concerned
    return _names(sorted(held))


def _links(incidents: Iterable[Incident], base_url: str) -> list[str]:
    links = [*dict.fromkeys(each.link for each in incidents if each.link)]
    shown = [f"{base_url.rstrip('/')}{link}" for link in links[:MOST_NAMES]]
    more = len(links) - MOST_NAMES
    return [*shown, f"and {more} more"] if more > 0 else shown


def _times(incidents: Sequence[Incident], notice: Notice) -> str:
    """Return how often it happened that was not told."""
    told = [each.told.get(notice.channel.name) for each in incidents]
    known = sum(before.count if before else 1 for before in told)
    untold = sum(each.count for each in incidents) - known
    if untold <= 0:
        return ""
    since = "since the last message" if any(told) else f"since {_when(incidents[0].first_at)}"
    return f"It happened {untold} more time{'' if untold == 1 else 's'} {since}."


def _tone(incidents: Iterable[Incident], notice: Notice) -> Tone:
    if notice.kind == "recovery":
        return "success"
    worst = max((each.severity for each in incidents), key=SEVERITIES.index)
    return "warning" if worst == "warning" else "failure"


def _names(names: Iterable[str], most: int = MOST_NAMES) -> str:
    listed = [*dict.fromkeys(names)]
    more = len(listed) - most
    shown = ", ".join(listed[:most])
    return f"{shown} and {more} more" if more > 0 else shown


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"

"""Posting a message to what apprise knows: chats, mail, pagers, webhooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

from factories.alerts.models import Route
from factories.core.secret_mask import SecretMask
from factories.core.yaml.variables import VARIABLE

POST_SECONDS = 15  # for one message, whatever the channel's own timeouts are
Tone = Literal["failure", "warning", "success", "info"]


@dataclass(frozen=True)
class Message:
    """What a channel is told.

    Attributes:
        title: One line.
        body: Plain text.
        tone: What a channel shows by a colour, or a pager by an alarm.
    """

    title: str
    body: str
    tone: Tone


@dataclass(frozen=True)
class Address:
    """One address of a route.

    Attributes:
        name: Of the channel: the route, the variable, and which address in it.
        variable: The variable that holds it.
        service: apprise's object for it; None when the variable is not set.
        problem: Why it cannot be used; empty when it can.
    """

    name: str
    variable: str
    service: Any = None
    problem: str = ""


def addresses(name: str, route: Route, environ: Mapping[str, str]) -> Iterator[Address]:
    """Yield the addresses of a route; a variable that is not set, or is no URL, is one of them."""
    import apprise  # noqa: PLC0415 - 0.2 s, which loading a code location need not cost

    for text in route.to:
        variable = VARIABLE.sub(r"\1", text)
        channel = f"{name}/{variable}"
        value = environ.get(variable, "").strip()
        if not value:
            yield Address(channel, variable, problem=f"${{{variable}}} is not defined")
            continue
        found = apprise.Apprise()
        understood = found.add(value)
        if not understood or not len(found):
            problem = f"${{{variable}}} holds no URL that apprise knows"
            yield Address(channel, variable, problem=problem)
            continue
        for number, service in enumerate(found, start=1):
            yield Address(channel if len(found) == 1 else f"{channel}#{number}", variable, service)


def post(address: Address, message: Message, environ: Mapping[str, str]) -> str:
    """Post a message.

    Returns:
        Why it has not arrived, without the address, which is a secret; empty when it has.
    """
    if address.service is None:
        return address.problem
    import apprise  # noqa: PLC0415 - as above

    channel = apprise.Apprise()
    channel.add(address.service)
    result = channel.notify(
        title=message.title,
        body=message.body,
        notify_type=apprise.NotifyType(message.tone),
        body_format=apprise.NotifyFormat.TEXT,
        timeout=POST_SECONDS,
    )
    if result:
        return ""
    mask = SecretMask(_secrets(address, environ))
    said = [mask(entry.message) for entry in result.logs() if entry.level in {"WARNING", "ERROR"}]
    return " ".join([*dict.fromkeys(said)]) or f"the post failed ({result.status.name.lower()})"


def _secrets(address: Address, environ: Mapping[str, str]) -> set[str]:
    """Return the address, and the parts of it that an error may repeat."""
    found = {*environ.get(address.variable, "").split()}
    for url in [*found]:
        _, _, rest = url.partition("://")
        path, _, query = rest.partition("?")
        found |= {value for _, value in parse_qsl(query)}
        found |= {part for part in path.replace("@", "/").replace(":", "/").split("/") if part}
    return found

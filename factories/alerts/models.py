"""The model of an `alerts.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictStr, model_validator

from factories.core.meta.dagster_meta import OwnerText
from factories.core.yaml.models import Duration, Names, StrictModel, as_list
from factories.core.yaml.problems import did_you_mean
from factories.core.yaml.variables import NAME, VARIABLE, find_intended_variable

Event = Literal[
    "run_failed", "step_failed", "attempt_failed", "check_failed", "freshness_violated",
    "asset_recovered", "evaluation_failed", "location_not_loading", "daemon_silent",
]  # fmt: skip
Severity = Literal["warning", "error", "critical"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
# What a route is told that names no events: all but what is told while a run still goes on.
DEFAULT_EVENTS: tuple[Event, ...] = (
    "run_failed", "check_failed", "freshness_violated", "asset_recovered", "evaluation_failed",
    "location_not_loading", "daemon_silent",
)  # fmt: skip
WORD = re.compile(r"[^\s,]+")
BASE_URL = re.compile(r"https?://[^\s/]+(/\S*)?")
# The worst that each event is told as.
WORST: Mapping[Event, Severity] = {
    "run_failed": "error",
    "step_failed": "error",
    "attempt_failed": "warning",
    "check_failed": "error",
    "freshness_violated": "error",
    "asset_recovered": "warning",
    "evaluation_failed": "error",
    "location_not_loading": "critical",
    "daemon_silent": "critical",
}
OF_THE_PLATFORM: frozenset[Event] = frozenset({"location_not_loading", "daemon_silent"})
ROUTE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
SHORTEST_SILENCE = timedelta(minutes=2)
SHORTEST_REMINDER = timedelta(minutes=5)


def is_worse(one: Severity, other: Severity) -> bool:
    """Tell whether one severity is worse than another."""
    return SEVERITIES.index(one) > SEVERITIES.index(other)


def _url(value: str) -> str:
    """Return `${NAME}` as it came.

    Raises:
        ValueError: When it is anything else; the text itself may be a secret, and is not repeated.
    """
    match = VARIABLE.fullmatch(value.strip())
    if match and NAME.fullmatch(match[1]):
        return value.strip()
    if match:
        near = did_you_mean(f"${{{plain[0]}}}" if (plain := NAME.match(match[1])) else None)
        raise ValueError(f"{value!r} is not the name of a variable{near}")
    if (variable := find_intended_variable(value)) is not None:
        raise ValueError(f"a variable is written {variable}")
    if all(VARIABLE.fullmatch(word) for word in WORD.findall(value)) and VARIABLE.search(value):
        raise ValueError(f"write several as a list: [{', '.join(WORD.findall(value))}]")
    raise ValueError(
        "the address of a channel is a secret: put it into an environment variable, and write"
        " ${NAME} here"
    )


def _reminder(value: timedelta) -> timedelta:
    if value < SHORTEST_REMINDER:
        raise ValueError("a reminder comes every five minutes at most")
    return value


def _route_name(value: str) -> str:
    if not ROUTE_NAME.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a route's name: lower-case letters, digits, '-' and '_'"
        )
    return value


def _base_url(value: str) -> str:
    if (variable := find_intended_variable(value)) is not None:
        raise ValueError(f"a variable is written {variable}")
    if not (VARIABLE.search(value) or BASE_URL.fullmatch(value)):
        raise ValueError(f"{value!r} is not an address like https://dagster.example.com")
    return value


Reminder = Annotated[Duration, AfterValidator(_reminder)]
Url = Annotated[StrictStr, AfterValidator(_url)]
Urls = Annotated[tuple[Url, ...], BeforeValidator(as_list), Field(min_length=1)]


class Route(StrictModel):
    """Where alerts go, and which ones. What is left out does not narrow the route."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "url": "is called to",
        "urls": "is called to",
        "channel": "is called to",
        "selection": "is called assets",
        "base_url": "belongs beside routes, for the whole file",
        "watch": "belongs beside routes, for the whole file",
    }

    to: Urls = Field(
        description="`${NAME}` or a list of them: environment variables that hold URLs of"
        " [apprise](https://appriseit.com), such as a Slack or Teams webhook, `mailto://` or"
        " `pagerduty://`; one variable may hold several, separated by spaces."
    )
    owners: Annotated[tuple[OwnerText, ...], BeforeValidator(as_list)] = Field(
        (), description="Only what concerns an asset that one of them owns."
    )
    assets: StrictStr | None = Field(
        None,
        description="Only what concerns one of these assets: a selection as in Dagster's UI, such"
        ' as `group:flight_ops or key:"weather_api/*"`.',
    )
    code_locations: Names = Field((), description="Only what happens in one of them.")
    targets: Names = Field((), description="Only on these targets, the values of `DP_TARGET`.")
    severity: Severity = Field("warning", description="Only what is at least as bad.")
    events: Annotated[tuple[Event, ...], BeforeValidator(as_list)] | None = Field(
        None,
        description="Only these; by default all but `step_failed` and `attempt_failed`, which are"
        " told while a run goes on.",
    )
    fallback: StrictBool = Field(
        False,
        description="Takes only what no other route of the file takes, such as what has no owner.",
    )
    remind_every: Reminder | None = Field(
        None, description="When an incident that goes on is told again; by default the file's."
    )

    @model_validator(mode="after")
    def _fallback_takes_what_is_left(self) -> Route:
        if self.fallback and self.owners:
            raise ValueError("a fallback takes what is left, whoever owns it: leave out owners")
        if not {*self.tells} - {"asset_recovered"}:
            raise ValueError("asset_recovered follows another event, which the route must have too")
        if all(is_worse(self.severity, WORST[event]) for event in self.tells):
            raise ValueError(f"none of its events is ever told as {self.severity}")
        return self

    @property
    def tells(self) -> tuple[Event, ...]:
        """What it is told of."""
        return DEFAULT_EVENTS if self.events is None else self.events


class AlertsFile(StrictModel):
    """Who is told of what goes wrong in a code location."""

    base_url: Annotated[StrictStr, AfterValidator(_base_url)] = Field(
        "http://127.0.0.1:3000",
        description="Address of Dagster's UI, for links; may be a `${NAME}`.",
    )
    remind_every: Reminder = Field(
        timedelta(hours=24), description="When an incident that goes on is told again."
    )
    watch: Literal["runs", "platform"] = Field(
        "runs",
        description="`platform`: beside the location's own runs also Dagster's daemon and the"
        " other code locations; in one location's file.",
    )
    silent_after: Duration = Field(
        timedelta(minutes=10),
        description="With `watch: platform`: how long the daemon or a location may do nothing.",
    )
    routes: dict[Annotated[StrictStr, AfterValidator(_route_name)], Route] = Field(
        min_length=1, description="Each route by its name."
    )

    @model_validator(mode="after")
    def _times_are_usable(self) -> AlertsFile:
        if self.silent_after < SHORTEST_SILENCE:
            raise ValueError("silent_after must be two minutes at least: sensors run every 30 s")
        if "silent_after" in self.model_fields_set and self.watch != "platform":
            raise ValueError("silent_after goes with watch: platform")
        return self

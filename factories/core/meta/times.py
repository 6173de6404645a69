"""Validates cron expressions, time zones and dates in YAML."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from croniter import CroniterBadDateError, croniter
from pydantic import AfterValidator, StrictStr

from factories.core.yaml.problems import did_you_mean, nearest

# croniter's extensions `H` and `R` mean random times, which differ each time they are evaluated.
CHANCE = re.compile(r"(?:^|[\s,])[hr](?:[\s,(/]|$)", re.IGNORECASE)
ANY_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - only whether a tick ever comes matters


@lru_cache(maxsize=1024)
def check_cron(value: str) -> str:
    """Return a five-field cron expression as it came.

    Raises:
        ValueError: When it is not a cron schedule, or never ticks.
    """
    five = len(value.split()) == 5  # noqa: PLR2004 - minute, hour, day, month, weekday
    if not five or CHANCE.search(value) or not croniter.is_valid(value):
        raise ValueError(f"{value!r} is not a cron schedule of five fields like '0 2 * * *'")
    try:
        croniter(value, ANY_DAY).get_next()
    except CroniterBadDateError:
        raise ValueError(f"{value!r} never ticks: there is no such day") from None
    return value


@lru_cache(maxsize=1024)
def shortest_interval(cron: str) -> timedelta:
    """Return the shortest time between two ticks, among a hundred of them."""
    ticks = croniter(cron, ANY_DAY)
    moments = [ticks.get_next(datetime) for _ in range(100)]
    return min(later - sooner for sooner, later in pairwise(moments))


@lru_cache(maxsize=1024)
def check_timezone(value: str) -> str:
    """Return the name of a time zone as it came.

    Raises:
        ValueError: When there is no such zone; names the nearest.
    """
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        hint = did_you_mean(nearest(value, available_timezones()))
        raise ValueError(f"{value!r} is not a time zone like America/New_York{hint}") from None
    return value


def check_date(value: str) -> str:
    """Return an ISO date or date with time as it came.

    Raises:
        ValueError: When it is not a date, or has an offset (the zone has a key of its own).
    """
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a date like 2013-01-01 or 2013-01-01T06:00") from None
    if moment.tzinfo is not None:
        raise ValueError(f"{value!r} must not carry an offset: use the key timezone")
    return value


CronText = Annotated[StrictStr, AfterValidator(check_cron)]
TimezoneText = Annotated[StrictStr, AfterValidator(check_timezone)]
DateText = Annotated[StrictStr, AfterValidator(check_date)]

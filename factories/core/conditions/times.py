"""Ticks of crons, seen from an evaluation."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from dagster._utils.schedules import cron_string_iterator, reverse_cron_string_iterator


@lru_cache(maxsize=1024)
def last_tick(cron: str, timezone: str, now: float) -> float:
    """Return the last tick at or before a moment, in seconds since 1970."""
    return next(reverse_cron_string_iterator(now, cron, timezone)).timestamp()


@lru_cache(maxsize=1024)
def next_tick(cron: str, timezone: str, now: float) -> float:
    """Return the first tick after a moment, in seconds since 1970."""
    for tick in cron_string_iterator(now, cron, timezone):
        if tick.timestamp() > now:
            return tick.timestamp()
    raise AssertionError(cron)  # the iterator has no end


def midnight(timezone: str, moment: float) -> float:
    """Return the midnight before a moment in a time zone, in seconds since 1970."""
    local = datetime.fromtimestamp(moment, ZoneInfo(timezone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def moment_text(moment: float, timezone: str = "UTC") -> str:
    """Return a moment for people, such as `2024-01-31 02:00 UTC`."""
    zone = UTC if timezone == "UTC" else ZoneInfo(timezone)
    return f"{datetime.fromtimestamp(moment, zone):%Y-%m-%d %H:%M %Z}"

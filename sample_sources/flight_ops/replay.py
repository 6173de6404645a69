"""Moves the sample's clock on, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from sample_sources.clock import REPLAYED_AFTER
from sample_sources.errors import SampleError
from sample_sources.flight_ops.fill import statements

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Advance:
    """What one advance did."""

    days: int
    clock: datetime
    """The time that the clock shows afterwards."""
    added: int
    """New flights."""
    corrected: int
    """Flights that were there before and were corrected, each counted once."""


def read_clock(connection: psycopg.Connection) -> datetime:
    """The time that the sample's clock shows (New York's local time)."""
    return _clock_and_seed(connection, b"select now, seed from sample.clock")[0]


def advance(connection: psycopg.Connection, days: int) -> Advance:
    """Replay and correct flights for each of the next days, in one transaction.

    The result depends on the days passed since the start and the seed alone, not on how
    many calls passed them. An incremental load by `updated_at` afterwards reads exactly
    `added + corrected` rows.

    Raises:
        SampleError: `days` is less than one.
    """
    if days < 1:
        raise SampleError(f"The clock only moves forward: {days} days is less than one.")
    replay, correct = statements("replay_day"), statements("correct_day")
    added = 0
    with connection.transaction():
        before, seed = _clock_and_seed(connection, b"select now, seed from sample.clock for update")
        day = before
        for _ in range(days):
            clock = day + _DAY
            values = {"day": day, "clock": clock, "shift": REPLAYED_AFTER, "seed": seed}
            added += connection.execute(replay, values).rowcount
            connection.execute(correct, values)
            day = clock
        connection.execute("update sample.clock set now = %s", (day,))
        row = connection.execute(
            "select count(*) from ops.flights where updated_at >= %s", (before,)
        ).fetchone()
    assert row is not None  # noqa: S101 - count(*) always gives a row
    return Advance(days=days, clock=day, added=added, corrected=row[0] - added)


def _clock_and_seed(connection: psycopg.Connection, query: bytes) -> tuple[datetime, int]:
    row = connection.execute(query).fetchone()
    if row is None:
        raise SampleError("The sample's clock is missing: run `dp sample reset --yes`.")
    now, seed = row
    return now, seed

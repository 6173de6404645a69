from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from sample_sources.clock import START
from sample_sources.flight_ops import url
from sample_sources.flight_ops.address import LAYOUT, State, folder, write_state
from sample_sources.flight_ops.clock_file import current_clock, write_clock_file
from sample_sources.flight_ops.replay import advance
from sample_sources.flight_ops.system import FlightOps
from sample_sources.weather_api.observations import Observations
from tests.sample_sources.weather import Service, keys

pytestmark = pytest.mark.xdist_group("weather_api")

DAY = timedelta(days=1)
SHIFT = timedelta(days=364)
NEW_YORK = ZoneInfo("America/New_York")


def show(clock: datetime) -> None:
    """The clock as a flight_ops leaves it that was advanced and stopped."""
    folder().mkdir(exist_ok=True)
    write_state(State(layout=LAYOUT, socket_dir=None))
    write_clock_file(clock)


def time(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["time_hour"])


def utc(clock: datetime) -> datetime:
    return clock.replace(tzinfo=NEW_YORK).astimezone(UTC)


def test_a_running_service_follows_the_clock_while_flight_ops_is_down(weather: Service) -> None:
    before = weather.rows()
    show(START + 7 * DAY)
    after = weather.rows()

    assert after[: len(before)] == before
    new = after[len(before) :]
    assert len(new) == 503
    assert all(utc(START) <= time(row) < utc(START + 7 * DAY) for row in new)
    assert new == weather.rows(since=f"{utc(START):%Y-%m-%dT%H:%M:%SZ}")

    # A reset that was cut short: the next database begins at the start.
    (folder() / "state.json").unlink()
    assert weather.rows() == before


def test_new_observations_are_those_of_364_days_before(weather: Service) -> None:
    show(START + SHIFT)
    rows = weather.rows()
    old = [row for row in rows if utc(START - SHIFT) <= time(row) < utc(START)]
    new = [row for row in rows if time(row) >= utc(START)]

    assert keys(new) == [(f"{time(row) + SHIFT:%Y-%m-%dT%H:%M:%SZ}", row["origin"]) for row in old]
    dates = {"year", "month", "day", "time_hour"}  # the hour of the day stays, at clock changes too
    assert [{n: v for n, v in row.items() if n not in dates} for row in new] == [
        {n: v for n, v in row.items() if n not in dates} for row in old
    ]
    for row in new:
        local = time(row).astimezone(NEW_YORK)
        assert (row["year"], row["month"], row["day"], row["hour"]) == (
            local.year, local.month, local.day, local.hour,
        )  # fmt: skip


def test_one_advance_or_several_give_the_same_observations(weather: Service) -> None:
    asked_at_once, asked_each_day = Observations(), Observations()
    days = 3 * 364 + 100  # replayed observations are replayed again
    for day in range(days):
        asked_each_day.count(START + day * DAY)
    clock = START + days * DAY
    at_once = asked_at_once.page(clock, size=10**6).rows
    assert asked_each_day.page(clock, size=10**6).rows == at_once

    show(clock)
    served = weather.rows()
    assert len(served) == len(set(keys(served))) == len(at_once)
    assert keys(served) == sorted(keys(served))
    observed = {(time(row), row["origin"]) for row in served}
    assert {key for key in observed if key[0] >= utc(START)} == {
        (at + SHIFT, origin) for at, origin in observed if utc(START) <= at + SHIFT < utc(clock)
    }


def test_a_cursor_stays_valid_while_the_clock_moves(weather: Service) -> None:
    (first, _) = weather.pages(page_size=2, since="2013-12-30T23:00:00Z")  # the last hour of all
    assert len(first) == 2
    cursor = weather.page(page_size=2, since="2013-12-30T23:00:00Z")["next_cursor"]
    last = weather.page(cursor=cursor)
    assert (len(last["data"]), last["next_cursor"]) == (1, None)

    show(START + DAY)
    assert len(weather.page(cursor=cursor)["data"]) == 1 + 72
    show(START)
    assert weather.page(cursor=cursor) == last


def test_an_advance_that_was_cut_short_never_happened_and_one_that_was_not_did(
    own_dir: Path,
) -> None:
    assert current_clock() == START  # without flight_ops
    address = url()
    done = START + DAY

    # Killed before the database's commit.
    write_clock_file(START, moves_to=done)
    assert current_clock() == START
    # Killed after it.
    with psycopg.connect(address, connect_timeout=10) as connection:
        advance(connection, 1)
    assert current_clock() == done
    # The flights cannot be seen, so neither can the weather.
    FlightOps().down()
    assert current_clock() == START
    url()
    FlightOps().down()
    assert current_clock() == done

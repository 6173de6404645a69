from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from sample_sources.clock import START
from sample_sources.errors import SampleError
from sample_sources.flight_ops.replay import Advance, advance, read_clock

pytestmark = pytest.mark.xdist_group("sample_sources")

# Every column but the three that a correction changes.
UNCORRECTED = (
    "flight_id, scheduled_departure, actual_departure, dep_delay, scheduled_arrival, carrier, "
    "flight, tailnum, origin, dest, air_time, distance, time_hour"
)


def rows(connection: psycopg.Connection, query: str, *values: Any) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode(), values).fetchall()


def content(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
    return rows(
        connection, "select count(*), sum(hashtextextended(f::text, 0)) from ops.flights as f"
    )


def written_since(connection: psycopg.Connection, time: datetime) -> set[int]:
    query = "select flight_id from ops.flights where updated_at > %s"
    return {row[0] for row in rows(connection, query, time)}


def test_a_week_adds_and_corrects_a_known_number_of_flights(flights: psycopg.Connection) -> None:
    assert advance(flights, 7) == Advance(
        days=7, clock=START + timedelta(days=7), added=6_156, corrected=330
    )
    assert rows(flights, "select count(*), max(flight_id) from ops.flights") == [(342_932, 342_932)]


def test_one_call_or_several_give_the_same_rows(flights: psycopg.Connection) -> None:
    with flights.transaction(force_rollback=True):
        advance(flights, 7)
        at_once = content(flights)
    for days in (1, 4, 2):
        advance(flights, days)
    assert content(flights) == at_once


def test_another_seed_corrects_other_flights(flights: psycopg.Connection) -> None:
    last = rows(flights, "select max(updated_at) from ops.flights")[0][0]
    with flights.transaction(force_rollback=True):
        first = advance(flights, 1)
        corrected = written_since(flights, last)
    flights.execute("update sample.clock set seed = seed + 1")
    second = advance(flights, 1)
    assert (second.added, second.corrected) == (first.added, first.corrected)
    assert written_since(flights, last) != corrected


def test_a_load_by_updated_at_finds_what_changed_and_nothing_else(
    flights: psycopg.Connection,
) -> None:
    flights.execute("create temporary table before as select * from ops.flights")
    for days in (1, 3):
        last = rows(flights, "select max(updated_at) from before")[0][0]
        done = advance(flights, days)
        changed = rows(
            flights,
            "select flight_id from (table ops.flights except table before) as changed",
        )
        assert written_since(flights, last) == {row[0] for row in changed}
        assert len(changed) == done.added + done.corrected
        assert rows(
            flights, "select count(*) from ops.flights where updated_at >= %s", done.clock
        ) == [(0,)]
        flights.execute("truncate before")
        flights.execute("insert into before select * from ops.flights")


def test_a_days_flights_are_those_of_the_same_weekday_a_year_before(
    flights: psycopg.Connection,
) -> None:
    assert advance(flights, 1).added == 943
    shared = """
        carrier, flight, tailnum, origin, dest, air_time, distance, dep_delay, arr_delay,
        scheduled_departure::time, actual_departure::time, scheduled_arrival::time,
        actual_arrival::time, extract(isodow from scheduled_departure)
    """
    query = (
        f"select {shared} from ops.flights where scheduled_departure::date = %s order by flight_id"
    )
    replayed = rows(flights, query, "2014-01-01")
    assert replayed == rows(flights, query, "2013-01-02")
    off = """
        select count(*) from ops.flights
        where time_hour <> date_trunc('hour', scheduled_departure) at time zone 'America/New_York'
           or actual_departure - scheduled_departure <> make_interval(mins => dep_delay)
           or actual_arrival - scheduled_arrival <> make_interval(mins => arr_delay)
    """
    assert rows(flights, off) == [(0,)]


def test_a_replayed_day_is_replayed_again_a_year_later(flights: psycopg.Connection) -> None:
    advance(flights, 1)
    # Skips the days between, which would take half a minute.
    flights.execute("update sample.clock set now = %s", (START + timedelta(days=364),))
    assert advance(flights, 1).added == 943
    query = "select count(*), count(distinct flight_id) from ops.flights"
    assert rows(flights, query) == [(336_776 + 2 * 943,) * 2]


def test_one_in_500_flights_of_the_last_30_days_is_corrected(flights: psycopg.Connection) -> None:
    flights.execute("create temporary table before as select * from ops.flights")
    recent = rows(
        flights,
        "select count(*) from ops.flights where scheduled_departure >= %s",
        START - timedelta(days=30),
    )[0][0]
    done = advance(flights, 1)
    assert done.corrected == recent // 500 == 54

    corrections = rows(
        flights,
        """
        select
            before.scheduled_departure, after.updated_at, after.arr_delay - before.arr_delay,
            after.actual_arrival - before.actual_arrival
        from before join ops.flights as after using (flight_id)
        where before.updated_at <> after.updated_at
        """,
    )
    assert len(corrections) == done.corrected
    for departure, updated_at, delay, arrival in corrections:
        assert START - timedelta(days=30) <= departure < START
        assert updated_at == done.clock - timedelta(seconds=1)
        assert 1 <= abs(delay) <= 5
        assert arrival == timedelta(minutes=delay)
    lost = f"select {UNCORRECTED} from before except select {UNCORRECTED} from ops.flights"
    assert rows(flights, lost) == []


@pytest.mark.parametrize("days", [0, -1])
def test_the_clock_never_stands_or_goes_back(flights: psycopg.Connection, days: int) -> None:
    with pytest.raises(SampleError, match="only moves forward"):
        advance(flights, days)
    assert read_clock(flights) == START

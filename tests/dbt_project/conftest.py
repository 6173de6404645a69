"""One RAW, and the runs of dbt that the tests look at, each after the one before.

They work as a branch deployment, in databases of their own.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import psycopg
import pytest
from snowflake.connector import SnowflakeConnection

from sample_sources.flight_ops import url
from sample_sources.flight_ops.replay import advance
from sample_sources.flight_ops.system import FlightOps
from tests.dbt_project import raw_tables
from tests.dbt_project.dbt_runs import PROJECT, DbtProject, profile_environment
from tests.dbt_project.stages import Stage

DAY = 86_400
FEBRUARY = "{window_start: '2013-02-01T00:00:00', window_end: '2013-03-01T00:00:00'}"


@pytest.fixture(scope="session")
def flight_ops() -> Iterator[psycopg.Connection]:
    """The sample's PostgreSQL, in a folder of its own, which its server's user can reach."""
    with tempfile.TemporaryDirectory(prefix="dp-") as name, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DP_LOCAL_DIR", name)
        address = url()
        patch.undo()
        with psycopg.connect(address, connect_timeout=10) as connection:
            yield connection
        patch.setenv("DP_LOCAL_DIR", name)
        FlightOps().reset()


@pytest.fixture(scope="session")
def project(warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtProject]:
    """The project in databases of its own, which are empty."""
    target = f"t-{uuid.uuid4().hex[:8]}"
    suffix = f"__{target.replace('-', '_').upper()}"
    for database in ("RAW", "ANALYTICS"):
        warehouse.rows(f"create database {database}{suffix}")
    environment = profile_environment(warehouse.settings, target)
    yield DbtProject(PROJECT, tmp_path_factory.mktemp("dbt"), environment, suffix)
    for database in ("RAW", "ANALYTICS"):
        warehouse.rows(f"drop database {database}{suffix}")


@pytest.fixture(scope="session")
def raw(
    warehouse, project: DbtProject, flight_ops: psycopg.Connection, tmp_path_factory
) -> Iterator[SnowflakeConnection]:
    """A connection to RAW, loaded once; the calendar 35 days ago."""
    with warehouse.connect(database=f"RAW{project.suffix}") as connection:
        folder = tmp_path_factory.mktemp("raw")
        raw_tables.load(connection.cursor(), flight_ops, folder, calendar_age=35 * DAY)
        yield connection


@pytest.fixture(scope="session")
def analytics(warehouse, project: DbtProject) -> Iterator[SnowflakeConnection]:
    with warehouse.connect(database=f"ANALYTICS{project.suffix}") as connection:
        yield connection


@pytest.fixture(scope="session")
def built(project: DbtProject, raw, analytics: SnowflakeConnection) -> Stage:
    """The first build."""
    return Stage.keep(analytics, "BUILT", project.build())


@pytest.fixture(scope="session")
def built_again(project: DbtProject, built: Stage) -> Stage:
    """Nothing happened since the build before."""
    outcome = project.build("--exclude-resource-type", "test", "unit_test")
    return Stage.keep(built.connection, "BUILT_AGAIN", outcome)


@dataclass(frozen=True)
class Week:
    """What happened in the week after the first build.

    Attributes:
        written: Flights that are new or were corrected.
        late: A flight that comes in now, though it was written long ago.
        without_weather: Flights of 31 December, whose weather comes in now.
    """

    written: set[int]
    late: int
    without_weather: set[int]


@pytest.fixture(scope="session")
def week(
    raw: SnowflakeConnection, built_again: Stage, flight_ops: psycopg.Connection, tmp_path_factory
) -> Week:
    """A week passes at the source, and what it brought is loaded as Sling and dlt do."""
    cursor = raw.cursor()
    last_written = datetime(2013, 12, 31, 23, 59, 59)  # noqa: DTZ001 - New York's time
    advance(flight_ops, 7)
    file = tmp_path_factory.mktemp("week") / "flights.csv"
    raw_tables.export(flight_ops, f"{raw_tables.FLIGHTS} where updated_at > '{last_written}'", file)
    cursor.execute("create table FLIGHT_OPS.FLIGHTS_TMP like FLIGHT_OPS.FLIGHTS")
    raw_tables.copy_into(cursor, "FLIGHT_OPS.FLIGHTS_TMP", file)
    ids = cursor.execute("select flight_id from FLIGHT_OPS.FLIGHTS_TMP").fetchall()
    cursor.execute(
        "delete from FLIGHT_OPS.FLIGHTS"
        " where flight_id in (select flight_id from FLIGHT_OPS.FLIGHTS_TMP)"
    )
    cursor.execute("insert into FLIGHT_OPS.FLIGHTS select * from FLIGHT_OPS.FLIGHTS_TMP")
    late = 900_001
    copy_of_first_flight(raw, late, "2013-06-01 12:00:00", updated_at="2013-06-01 15:00:00")
    cursor.execute("""
        insert into WEATHER_API.OBSERVATIONS
        select * replace (dateadd('day', 1, time_hour) as time_hour)
        from WEATHER_API.OBSERVATIONS
        where time_hour >= '2013-12-30 05:00:00+00:00' and origin = 'JFK'
    """)
    cursor.execute("""
        update FLIGHT_OPS.PLANES set seats = 60, updated_at = '2014-01-05 00:00:00'
        where tailnum = 'N10156'
    """)
    cursor.execute("delete from FLIGHT_OPS.PLANES where tailnum = 'N102UW'")
    without_weather = cursor.execute("""
        select flight_id from FLIGHT_OPS.FLIGHTS join WEATHER_API.OBSERVATIONS
            using (origin, time_hour)
        where flights.scheduled_departure::date = '2013-12-31'
    """).fetchall()
    return Week({int(i) for (i,) in ids}, late, {int(i) for (i,) in without_weather})


def copy_of_first_flight(
    raw: SnowflakeConnection, flight_id: int, scheduled: str, *, updated_at: str
) -> None:
    """Insert a flight like the first one, at another time."""
    raw.cursor().execute(f"""
        insert into FLIGHT_OPS.FLIGHTS
        select {flight_id}, '{scheduled}', '{scheduled}', 0, '{scheduled}', '{scheduled}', 0,
            carrier, flight, tailnum, origin, dest, air_time, distance, time_hour, '{updated_at}'
        from FLIGHT_OPS.FLIGHTS where flight_id = 1
    """)


@pytest.fixture(scope="session")
def after_week(project: DbtProject, week: Week, analytics: SnowflakeConnection) -> Stage:
    outcome = project.build("--exclude-resource-type", "test", "unit_test")
    return Stage.keep(analytics, "AFTER_WEEK", outcome)


@pytest.fixture(scope="session")
def refreshed(project: DbtProject, after_week: Stage) -> Stage:
    """Everything from scratch, of the same data."""
    outcome = project.dbt("run", "--full-refresh", "--select", "fct_flights+")
    assert outcome.success, outcome
    return Stage.keep(after_week.connection, "REFRESHED", outcome)


@dataclass(frozen=True)
class Bounds:
    """What changed at the source around February, unseen by an incremental run.

    Attributes:
        inside: Flights at the first and the last second of February.
        outside: Flights at the second before and the first one after it.
        dropped: A flight of February that the source no longer has.
    """

    inside: frozenset[int] = frozenset({900_012, 900_013})
    outside: frozenset[int] = frozenset({900_011, 900_014})
    dropped: int = 900_015


@pytest.fixture(scope="session")
def bounds() -> Bounds:
    return Bounds()


@pytest.fixture(scope="session")
def backfilled(
    project: DbtProject, refreshed: Stage, raw: SnowflakeConnection, bounds: Bounds
) -> Stage:
    """February is rebuilt."""
    moments = ("01-31 23:59:59", "02-01 00:00:00", "02-28 23:59:59", "03-01 00:00:00")
    for flight_id, moment in zip((900_011, 900_012, 900_013, 900_014), moments, strict=True):
        copy_of_first_flight(raw, flight_id, f"2013-{moment}", updated_at="2013-04-01 00:00:00")
    cursor = refreshed.connection.cursor()
    cursor.execute(f"""
        insert into MARTS.FCT_FLIGHTS
        select * replace ({bounds.dropped} as flight_id) from MARTS.FCT_FLIGHTS
        where flight_id = (
            select min(flight_id) from MARTS.FCT_FLIGHTS where month(flight_date) = 2
        )
    """)
    outcome = project.dbt("run", "--select", "fct_flights", "--vars", FEBRUARY)
    assert outcome.success, outcome
    return Stage.keep(refreshed.connection, "BACKFILLED", outcome)

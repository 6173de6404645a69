"""Compares the demo's tables with what its sources hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import snowflake.connector

from local_snowflake.process import control
from local_snowflake.target import connection_settings
from sample_sources.flight_ops.address import current_url
from sample_sources.systems import WEATHER_API

SECONDS = 30
TIMEOUTS = {"login_timeout": SECONDS, "network_timeout": SECONDS, "socket_timeout": SECONDS}
DAYS = 1095  # of the calendar, from 2013 to 2015
ADDED_AIRPORTS = 4  # by a seed of dbt
SOURCE = """
    select count(*), sum(arr_delay),
        count(*) filter (where actual_departure is not null),
        count(*) filter (where arr_delay is not null),
        (select count(*) from ops.airlines), (select count(*) from ops.airports),
        (select count(*) from ops.planes)
    from ops.flights
"""


@dataclass(frozen=True)
class Source:
    """What the sources hold now: numbers of rows, and the sum of all delays."""

    flights: int
    delays: int
    not_cancelled: int
    arrived: int
    airlines: int
    airports: int
    planes: int
    observations: int = 0
    stations: int = 0


def read_source() -> Source | None:
    """Count at the sources; None when one of them does not run: nothing is started."""
    url, weather = current_url(), WEATHER_API.status()
    if url is None or not weather.running:
        return None
    with psycopg.connect(url, connect_timeout=SECONDS) as connection:
        (row,) = connection.execute(SOURCE.encode()).fetchall()
    rows = {name.rpartition("/")[2].rpartition(".")[2]: n for name, n in weather.rows.items()}
    counted = Source(*map(int, row))
    return replace(counted, observations=rows["observations"], stations=rows["stations"])


def find_differences(source: Source, trainings: int) -> list[str]:
    """Return what tables have too many, too few or wrong rows; the warehouse has to run.

    Args:
        source: What the sources hold.
        trainings: How many runs have made the model.
    """
    if not control.status().running:
        return ["the embedded warehouse does not run"]
    found = []
    with snowflake.connector.connect(
        **connection_settings(), **TIMEOUTS, log_imported_packages_in_telemetry=False
    ) as session:
        for table, select, expected in _expected(source, trainings):
            try:
                cursor = session.cursor()
                cursor.execute(f"select {select} from {table}")
                (row,) = cursor.fetchall()
            except snowflake.connector.errors.ProgrammingError as error:
                found.append(f"{table}: {error.msg}")
                continue
            if (said := tuple(int(str(value or 0)) for value in row)) != expected:
                found.append(f"{table}: {select} is {said}, not {expected}")
    return found


def _expected(source: Source, trainings: int) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
    """Yield each table, what is asked of it, and the answer: rows, distinct keys, sums."""
    keyed = {
        "RAW.FLIGHT_OPS.AIRLINES": ("carrier", source.airlines),
        "RAW.FLIGHT_OPS.AIRPORTS": ("faa", source.airports),
        "RAW.FLIGHT_OPS.PLANES": ("tailnum", source.planes),
        "RAW.WEATHER_API.OBSERVATIONS": ("origin, time_hour", source.observations),
        "RAW.WEATHER_API.STATIONS": ("origin", source.stations),
        "RAW.CALENDAR.DAYS": ("date", DAYS),
        "ANALYTICS.MARTS.DIM_CARRIER": ("carrier", source.airlines),
        "ANALYTICS.MARTS.DIM_AIRPORT": ("airport", source.airports + ADDED_AIRPORTS),
        "ANALYTICS.MARTS.DIM_AIRCRAFT": ("aircraft_version_id", source.planes),
        "ANALYTICS.MARTS.DIM_DATE": ("date_day", DAYS),
        "ML.DELAY.FEATURES": ("flight_id", source.not_cancelled),
        "ML.DELAY.PREDICTIONS": ("flight_id", source.not_cancelled),
    }
    for table, (key, rows) in keyed.items():
        yield table, f"count(*), count(distinct {key})", (rows, rows)
    whole = (source.flights, source.flights, source.delays)
    keys = "count(*), count(distinct flight_id)"
    yield "RAW.FLIGHT_OPS.FLIGHTS", f"{keys}, sum(arr_delay)", whole
    yield "ANALYTICS.MARTS.FCT_FLIGHTS", f"{keys}, sum(arr_delay_minutes)", whole
    for table in ("CARRIER_MONTHLY", "ORIGIN_DAILY"):
        yield f"ANALYTICS.MARTS.{table}", "sum(flights)", (source.flights,)
    yield "ML.REPORTS.DELAY_BY_HOUR", "sum(flights)", (source.arrived,)
    versions = "count(*), count(distinct version), count_if(status = 'champion')"
    yield "ML.DELAY.MODELS", versions, (trainings, trainings, 1)

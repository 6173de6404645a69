"""The demo's features and scores as who uses pandas writes them, without Dagster: run as a script.

The tables are read whole, all is computed in this process, and both results are written back.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import closing

import pandas as pd  # type: ignore[import-untyped]
import psutil
import pyarrow as pa  # type: ignore[import-untyped]
import snowflake.connector
from snowflake.connector import SnowflakeConnection
from snowflake.connector.pandas_tools import write_pandas
from snowflake.snowpark import Session

from factories.core.project import project_root
from factories.core.python_refs.importer import import_module
from factories.core.warehouse.names import warehouse_names
from factories.core.warehouse.settings import warehouse_settings
from factories.snowpark.config.relations import ML, name_registry, name_stage
from factories.snowpark.models.registry import Registry, RegistryError

AREA = "delay"
MODEL = "arrival_delay"
SCHEMA = "DELAY_IN_PANDAS"
FEATURES = "FEATURES"
PREDICTIONS = "PREDICTIONS"
QUERIES = {
    "flights": """
        select flight_id, flight_date, scheduled_departure_at, carrier, tailnum, origin, dest,
            distance_miles, dep_delay_minutes, arr_delay_minutes, is_cancelled, temperature_f,
            wind_speed_mph, precipitation_in, visibility_miles
        from ANALYTICS.MARTS.FCT_FLIGHTS
    """,
    "schedule": """
        select flight_id, scheduled_arrival_at from ANALYTICS.STAGING.STG_FLIGHT_OPS__FLIGHTS
    """,
    "aircraft": """
        select tailnum, valid_from, valid_to, manufactured_year, seats
        from ANALYTICS.MARTS.DIM_AIRCRAFT
    """,
    "airports": "select airport, time_zone from ANALYTICS.MARTS.DIM_AIRPORT",
    "dates": "select date_day, iso_weekday, is_holiday from ANALYTICS.MARTS.DIM_DATE",
}
COLUMNS = [
    "flight_id",
    "flight_date",
    "carrier",
    "origin",
    "dest",
    "departure_minute",
    "iso_weekday",
    "scheduled_minutes",
    "distance_miles",
    "aircraft_age_years",
    "aircraft_seats",
    "days_since_holiday",
    "days_until_holiday",
    "temperature_f",
    "wind_speed_mph",
    "precipitation_in",
    "visibility_miles",
    "aircraft_legs_before",
    "minutes_since_previous_leg",
    "previous_leg_dep_delay_minutes",
    "previous_leg_arr_delay_minutes",
    "turnaround_slack_minutes",
    "origin_departures_2h",
    "origin_dep_delay_2h",
    "carrier_dep_delay_3h",
    "dest_arr_delay_3h",
    "route_arrivals_28d",
    "route_late_share_28d",
    "carrier_route_late_share_28d",
    "carrier_late_share_28d",
    "is_late",
]
ORIGINS_ZONE = "America/New_York"
LATE_MINUTES = 15
HOLIDAY_DAYS = 14
MINUTE = pd.Timedelta(minutes=1)


def features(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the features of every flight that was not cancelled, as `ML.DELAY.FEATURES` has them.

    Args:
        tables: The rows of `QUERIES`, with columns in lower case.
    """
    flights = _with_previous_leg(_flights(tables))
    taken_place = flights[~flights["is_cancelled"]].reset_index(drop=True)
    taken_place = taken_place.merge(_holidays(tables["dates"]), on="flight_date", how="left")
    taken_place = _with_aircraft(taken_place, tables["aircraft"])
    taken_place = taken_place.sort_values("scheduled_departure_at", ignore_index=True)
    known = taken_place.assign(
        **_departures(taken_place, flights), **_arrivals(taken_place, flights)
    )
    return known[COLUMNS]


def _flights(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return all flights with the times, in New York's, at which what they did was known."""
    flights = tables["flights"].merge(tables["schedule"], on="flight_id", how="left")
    zones = flights["dest"].map(tables["airports"].set_index("airport")["time_zone"])
    scheduled, lands = flights["scheduled_departure_at"], flights["scheduled_arrival_at"]
    dep_delay = flights["dep_delay_minutes"].astype("float64")
    arr_delay = flights["arr_delay_minutes"].astype("float64")
    departed = scheduled + pd.to_timedelta(dep_delay, unit="min")
    arrived = _in_new_york(lands + pd.to_timedelta(arr_delay, unit="min"), zones)
    # Nothing is known of a flight before its scheduled departure, however early it left.
    departed = departed.where(departed > scheduled, scheduled).where(dep_delay.notna())
    arrived = arrived.where(arrived > scheduled, scheduled).where(arr_delay.notna())
    return flights.assign(
        flight_date=pd.to_datetime(flights["flight_date"]),
        departure_minute=scheduled.dt.hour * 60 + scheduled.dt.minute,
        scheduled_minutes=(_in_new_york(lands, zones) - scheduled) / MINUTE,
        dep_delay=dep_delay,
        arr_delay=arr_delay,
        departed_at=departed,
        arrived_at=arrived,
        is_late=(arr_delay >= LATE_MINUTES).astype("boolean").where(arr_delay.notna()),
    )


def _in_new_york(times: pd.Series, zones: pd.Series) -> pd.Series:
    """Return times that are local in their zones as New York's clocks have them."""
    converted = [
        # Of the hour that comes twice the second one; of the hour that is left out, an hour later.
        local.dt.tz_localize(zone, ambiguous=False, nonexistent=pd.Timedelta(hours=1))
        .dt.tz_convert(ORIGINS_ZONE)
        .dt.tz_localize(None)
        for zone, local in times.groupby(zones)
    ]
    return pd.concat(converted).reindex(times.index)


def _with_previous_leg(flights: pd.DataFrame) -> pd.DataFrame:
    """Add what the aircraft's flight before, on the same day, was known to have done."""
    flights = flights.sort_values(["scheduled_departure_at", "flight_id"], ignore_index=True)
    day = flights.groupby(["tailnum", "flight_date"], sort=False)
    # Flights without a number are in no group: their previous leg is null, as is their count.
    before = day[
        [
            "scheduled_departure_at",
            "scheduled_minutes",
            "departed_at",
            "arrived_at",
            "dep_delay",
            "arr_delay",
        ]
    ].shift()
    now, legs = flights["scheduled_departure_at"], day.cumcount()
    arrived = before["arrived_at"] < now
    slack = (now - before["arrived_at"]) / MINUTE - before["scheduled_minutes"]
    return flights.assign(
        aircraft_legs_before=legs.where(flights["tailnum"].notna(), 0).astype("int64"),
        minutes_since_previous_leg=(now - before["scheduled_departure_at"]) / MINUTE,
        previous_leg_dep_delay_minutes=before["dep_delay"].where(before["departed_at"] < now),
        previous_leg_arr_delay_minutes=before["arr_delay"].where(arrived),
        turnaround_slack_minutes=slack.where(arrived),
    )


def _departures(flights: pd.DataFrame, before: pd.DataFrame) -> dict[str, pd.Series]:
    """Return how late departures have been in the hours before each flight's own."""
    departed = before[before["departed_at"].notna()]
    timeline = _timeline(
        flights[["carrier", "origin"]].assign(time=flights["scheduled_departure_at"]),
        departed[["carrier", "origin", "dep_delay"]].assign(time=departed["departed_at"]),
    )
    origin = _last("2h", timeline, ["origin"], "dep_delay", "count", "mean")
    carrier = _last("3h", timeline, ["carrier", "origin"], "dep_delay", "mean")
    return {
        "origin_departures_2h": origin["count"].fillna(0).astype("int64"),
        "origin_dep_delay_2h": origin["mean"],
        "carrier_dep_delay_3h": carrier["mean"],
    }


def _arrivals(flights: pd.DataFrame, before: pd.DataFrame) -> dict[str, pd.Series]:
    """Return how late arrivals have been in the hours, and in the days, before each flight."""
    arrived = before[before["arrived_at"].notna()]
    hours = _timeline(
        flights[["dest"]].assign(time=flights["scheduled_departure_at"]),
        arrived[["dest", "arr_delay"]].assign(time=arrived["arrived_at"]),
    )
    days = _timeline(
        flights[["carrier", "origin", "dest"]].assign(time=flights["flight_date"]),
        arrived[["carrier", "origin", "dest"]].assign(
            time=arrived["arrived_at"].dt.normalize(), late=arrived["is_late"].astype("float64")
        ),
    )
    airport = _last("3h", hours, ["dest"], "arr_delay", "mean")
    route = _last("28D", days, ["origin", "dest"], "late", "count", "mean")
    carrier_route = _last("28D", days, ["carrier", "origin", "dest"], "late", "mean")
    all_routes = _last("28D", days, ["carrier"], "late", "mean")
    return {
        "dest_arr_delay_3h": airport["mean"],
        "route_arrivals_28d": route["count"].fillna(0).astype("int64"),
        "route_late_share_28d": route["mean"],
        "carrier_route_late_share_28d": carrier_route["mean"],
        "carrier_late_share_28d": all_routes["mean"],
    }


def _timeline(flights: pd.DataFrame, happened: pd.DataFrame) -> pd.DataFrame:
    """Return flights, which keep their numbers, and what happened in the order of time.

    Flights are before what happened at the same time: the window of each ends with the row before.
    """
    together = pd.concat([flights, happened], ignore_index=True)
    return together.sort_values("time", kind="stable")


def _last(
    length: str, timeline: pd.DataFrame, keys: list[str], value: str, *statistics: str
) -> pd.DataFrame:
    """Return statistics of a value over rows with the same keys in the time before a row's own."""
    group = timeline.groupby(keys).ngroup()
    # In the order in which the windows' values come, which have lost the flights' numbers.
    by_group = timeline.assign(group=group).sort_values("group", kind="stable")
    windows = by_group.groupby("group").rolling(length, on="time", closed="left")[value]
    found = {name: windows.agg(name).to_numpy() for name in statistics}
    return pd.DataFrame(found, index=by_group.index)


def _holidays(dates: pd.DataFrame) -> pd.DataFrame:
    """Return the days of the calendar with their distance from the holidays around them."""
    days = dates.assign(flight_date=pd.to_datetime(dates["date_day"])).sort_values("flight_date")
    day = days["flight_date"]
    holiday = day.where(days["is_holiday"])
    since, until = (day - holiday.ffill()).dt.days, (holiday.bfill() - day).dt.days
    limited = {
        "days_since_holiday": since.fillna(HOLIDAY_DAYS).clip(upper=HOLIDAY_DAYS).astype("int64"),
        "days_until_holiday": until.fillna(HOLIDAY_DAYS).clip(upper=HOLIDAY_DAYS).astype("int64"),
    }
    return days[["flight_date", "iso_weekday"]].assign(**limited)


def _with_aircraft(flights: pd.DataFrame, aircraft: pd.DataFrame) -> pd.DataFrame:
    """Add the register's entry for the aircraft that held when the flight was to depart."""
    versions = aircraft.sort_values("valid_from")
    joined = pd.merge_asof(
        flights.sort_values("scheduled_departure_at", ignore_index=True),
        versions,
        left_on="scheduled_departure_at",
        right_on="valid_from",
        by="tailnum",
    )
    ended = joined["valid_to"] <= joined["scheduled_departure_at"]
    age = joined["flight_date"].dt.year - joined["manufactured_year"].astype("float64")
    return joined.assign(
        aircraft_age_years=age.mask(ended), aircraft_seats=joined["seats"].mask(ended)
    )


def _read(connection: SnowflakeConnection, query: str) -> pd.DataFrame:
    with connection.cursor() as cursor:
        cursor.execute(query)
        # Dates as datetimes: as Python objects they would be slower to read, and to compute with.
        rows = cursor.fetch_pandas_all(date_as_object=False)
    return rows.rename(columns=str.lower)


def _write(connection: SnowflakeConnection, rows: pd.DataFrame, table: str) -> None:
    write_pandas(
        connection,
        rows.rename(columns=str.upper),
        table,
        auto_create_table=True,
        overwrite=True,
        use_logical_type=True,
    )


def _scores(connection: SnowflakeConnection, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the champion's probability of each row."""
    names = warehouse_names()
    session = Session.builder.configs({"connection": connection}).create()
    registry = Registry(session, name_registry(AREA, names), name_stage(AREA, names))
    champion = registry.champion(MODEL)
    if champion is None:
        raise RegistryError(f"{MODEL} has no champion")
    predict = import_module("delay.model", project_root() / "snowpark").predict
    return pd.DataFrame(
        {
            "flight_id": rows["flight_id"],
            "probability": predict(registry.load(champion), rows),
            "model_version": champion.version,
            "scored_at": pd.Timestamp.now("UTC"),
        }
    )


def main() -> None:
    """Build the features and the scores, and print the seconds of both, from the process's start.

    What is imported counts for the features, which come first.
    """
    started = psutil.Process().create_time()
    arguments = {**warehouse_settings().connector_arguments(), "database": ML}
    # The style of parameters that Snowpark wants, which is on the same connection.
    with closing(snowflake.connector.connect(**arguments, paramstyle="qmark")) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"create schema if not exists {ML}.{SCHEMA}")
            cursor.execute(f"use schema {ML}.{SCHEMA}")
        made = features({name: _read(connection, sql) for name, sql in QUERIES.items()})
        date = made["flight_date"].astype(pd.ArrowDtype(pa.date32()))
        _write(connection, made.assign(flight_date=date), FEATURES)
        between = time.time()
        _write(connection, _scores(connection, made), PREDICTIONS)
        ended = time.time()
    seconds = {"features": between - started, "scores": ended - between}
    print(json.dumps({"seconds": ended - started, **seconds}))


if __name__ == "__main__":
    main()

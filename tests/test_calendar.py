"""The calendar: every day of the demo's years, once, with the holidays as they were kept."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from factories.core.python_refs.importer import import_module

FOLDER = Path(__file__).parents[1] / "dlt_pipelines"


@pytest.fixture(scope="module")
def days() -> list[dict[str, Any]]:
    arguments = yaml.safe_load((FOLDER / "calendar.yaml").read_text())["source"]["args"]
    return list(import_module("calendar", FOLDER).days(**arguments))


def test_every_day_is_there_once_without_a_hole(days: list[dict[str, Any]]) -> None:
    assert [row["date"] for row in days] == [
        date(2013, 1, 1) + timedelta(days=n) for n in range(1095)
    ]
    assert days[-1]["date"] == date(2015, 12, 31)
    assert all((r["year"], r["month"], r["day"]) == r["date"].timetuple()[:3] for r in days)


def test_federal_holidays_are_named_also_where_they_are_observed(
    days: list[dict[str, Any]],
) -> None:
    named = {row["date"]: row["holiday"] for row in days if row["is_holiday"]}

    assert named[date(2013, 11, 28)].startswith("Thanksgiving")
    assert named[date(2014, 1, 20)] == "Martin Luther King Jr. Day"
    assert named[date(2015, 7, 3)] == "Independence Day (observed)"  # the fourth is a Saturday
    assert named[date(2015, 7, 4)] == "Independence Day"
    assert date(2013, 7, 3) not in named
    assert all(row["holiday"] is None for row in days if not row["is_holiday"])
    per_year = [sum(day.year == year for day in named) for year in (2013, 2014, 2015)]
    assert per_year == [10, 10, 11]


@pytest.mark.parametrize(
    ("day", "week"),
    [
        (date(2013, 1, 1), (2013, 1, 2)),
        (date(2013, 12, 29), (2013, 52, 7)),
        (date(2013, 12, 30), (2014, 1, 1)),
        (date(2014, 12, 29), (2015, 1, 1)),
        (date(2015, 12, 31), (2015, 53, 4)),
    ],
)
def test_weeks_at_the_years_ends_are_those_of_iso(
    days: list[dict[str, Any]], day: date, week: tuple[int, int, int]
) -> None:
    (row,) = (row for row in days if row["date"] == day)

    assert (row["iso_year"], row["iso_week"], row["iso_weekday"]) == week
    assert row["is_weekend"] == (week[2] >= 6)

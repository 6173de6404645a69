"""The calendar: days with their week, weekday and holiday."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import holidays

SATURDAY = 6


def days(first_year: int, last_year: int) -> Iterator[dict[str, Any]]:
    """Yield one row per day, from 1 January of the first year to the end of the last.

    Args:
        first_year: The first calendar year.
        last_year: The last one, included.
    """
    names = holidays.country_holidays("US", years=range(first_year, last_year + 1))
    day = date(first_year, 1, 1)
    while day.year <= last_year:
        iso = day.isocalendar()
        yield {
            "date": day,
            "year": day.year,
            "month": day.month,
            "day": day.day,
            "iso_year": iso.year,
            "iso_week": iso.week,
            "iso_weekday": iso.weekday,
            "is_weekend": iso.weekday >= SATURDAY,
            "is_holiday": day in names,
            "holiday": names.get(day),
        }
        day += timedelta(days=1)

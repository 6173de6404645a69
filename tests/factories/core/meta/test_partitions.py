"""The partitions of YAML are Dagster's own."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from factories.core.meta.partitions import PartitionSpec, partitions_definition


def spec(**values: Any) -> PartitionSpec:
    return PartitionSpec.model_validate(values)


@pytest.mark.parametrize(
    ("kind", "start", "end", "keys"),
    [
        (
            "hourly",
            "2013-01-01T22:00",
            "2013-01-02T01:00",
            ["2013-01-01-22:00", "2013-01-01-23:00", "2013-01-02-00:00"],
        ),
        ("daily", "2013-01-01", "2013-01-04", ["2013-01-01", "2013-01-02", "2013-01-03"]),
        ("weekly", "2013-01-06", "2013-01-20", ["2013-01-06", "2013-01-13"]),
        ("monthly", "2013-01-01", "2013-04-01", ["2013-01-01", "2013-02-01", "2013-03-01"]),
    ],
)
def test_time_partitions_go_from_start_to_end(
    kind: str, start: str, end: str, keys: list[str]
) -> None:
    assert partitions_definition(spec(type=kind, start=start, end=end)).get_partition_keys() == keys


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_definitions_are_exactly_dagsters_own(zone: str) -> None:
    start = datetime(2013, 1, 1, tzinfo=ZoneInfo(zone))
    cases: list[tuple[str, Any]] = [
        ("hourly", dg.HourlyPartitionsDefinition(start_date=start, timezone=zone)),
        ("daily", dg.DailyPartitionsDefinition(start_date=start, timezone=zone)),
        ("monthly", dg.MonthlyPartitionsDefinition(start_date=start, timezone=zone)),
    ]
    for kind, definition in cases:
        made = partitions_definition(spec(type=kind, start="2013-01-01", timezone=zone))
        assert made == definition
    weekly = partitions_definition(spec(type="weekly", start="2012-12-30", timezone=zone))
    assert weekly == dg.WeeklyPartitionsDefinition(
        start_date=datetime(2012, 12, 30, tzinfo=ZoneInfo(zone)), timezone=zone
    )


def test_static_partitions() -> None:
    made = partitions_definition(spec(type="static", keys=["EWR", "JFK", "LGA"]))
    assert made == dg.StaticPartitionsDefinition(["EWR", "JFK", "LGA"])


SPANS = {
    "hourly": timedelta(days=3),
    "daily": timedelta(days=40),
    "weekly": timedelta(weeks=30),
    "monthly": timedelta(days=800),
}


# One whose offset is not a whole hour, one whose clocks change at midnight.
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Pacific/Chatham", "America/Sao_Paulo"]


def begin(kind: str, day: date) -> date:
    """The partition's start at or before a day."""
    if kind == "weekly":
        return day - timedelta(days=day.isoweekday() % 7)
    return day.replace(day=1) if kind == "monthly" else day


@given(
    st.sampled_from(list(SPANS)),
    st.sampled_from(ZONES),
    st.dates(date(2013, 1, 1), date(2014, 1, 1)),
)
def test_windows_of_adjacent_partitions_tile_time(kind: str, zone: str, day: date) -> None:
    start, end = begin(kind, day), begin(kind, day + SPANS[kind])
    definition = partitions_definition(
        spec(type=kind, start=start.isoformat(), end=end.isoformat(), timezone=zone)
    )
    assert isinstance(definition, dg.TimeWindowPartitionsDefinition)
    keys = definition.get_partition_keys()
    windows = [definition.time_window_for_partition_key(key) for key in keys]
    bounds = [datetime.combine(bound, time(), ZoneInfo(zone)) for bound in (start, end)]
    assert windows[0].start.timestamp() == bounds[0].timestamp()
    assert windows[-1].end.timestamp() == bounds[1].timestamp()
    for earlier, later in pairwise(windows):
        assert earlier.start.timestamp() < earlier.end.timestamp()
        assert earlier.end.timestamp() == later.start.timestamp()


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("Australia/Lord_Howe", "2024-01-01", None),
        ("Asia/Pyongyang", "2015-08-14", "2015-08-16"),
        ("America/Caracas", "2016-01-01", "2017-01-01"),
    ],
)
def test_hours_of_clocks_that_change_by_half_an_hour_are_refused(
    zone: str, start: str, end: str | None
) -> None:
    with pytest.raises(ValidationError, match=f"timezone: the clocks of {zone} change by a part"):
        spec(type="hourly", start=start, end=end, timezone=zone)
    assert spec(type="daily", start=start, end=end, timezone=zone)


@pytest.mark.parametrize("zone", ["Asia/Pyongyang", "America/Caracas", "Asia/Kolkata"])
def test_hours_are_allowed_where_clocks_changed_by_half_an_hour_once(zone: str) -> None:
    assert spec(type="hourly", start="2019-01-01", timezone=zone)

"""Partitions in zones whose clocks change: each row is in a partition, and an instant in one."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from factories.core.execution.window import UnreadableWindowError, Window
from factories.core.meta.partitions import PartitionSpec, partitions_definition
from factories.sling.partition_condition import PartitionLimit, SourceColumn
from factories.sling.source_dialects import DIALECTS

# Each with the days before a change of its clocks: an hour or half of one, at midnight or later.
CHANGES = [
    ("America/New_York", "2024-11-02"),
    ("America/New_York", "2024-03-09"),
    ("Europe/Berlin", "2024-10-26"),
    ("Europe/Berlin", "2024-03-30"),
    ("Australia/Lord_Howe", "2024-04-06"),
    ("America/Havana", "2024-11-02"),
    ("America/Havana", "2024-03-09"),
    ("Asia/Beirut", "2024-03-30"),
    ("Asia/Kathmandu", "2024-03-30"),
    ("UTC", "2024-03-30"),
]
# Hours are refused where clocks change by half of one.
KINDS = [
    (zone, start, kind)
    for zone, start in CHANGES
    for kind in ("hourly", "daily")
    if (zone, kind) != ("Australia/Lord_Howe", "hourly")
]
COLUMN = [SourceColumn("at", "")]
SQLITE = DIALECTS["sqlite"]


def windows(zone: str, start: str, kind: str) -> list[Window]:
    """The windows of three days of partitions, as Dagster gives them to a run."""
    end = (datetime.fromisoformat(start) + timedelta(days=3)).date()
    spec = PartitionSpec(type=kind, start=start, end=str(end), timezone=zone)
    definition = partitions_definition(spec)
    spans = [definition.time_window_for_partition_key(k) for k in definition.get_partition_keys()]  # type: ignore[attr-defined]
    return [Window(span.start, span.end) for span in spans]


def quarters(zone: str, made: list[Window]) -> list[datetime]:
    """Every quarter of an hour of the partitions, in their zone."""
    first, last = made[0].start.astimezone(UTC), made[-1].end.astimezone(UTC)
    count = (last - first) // timedelta(minutes=15)
    tz = ZoneInfo(zone)
    return [(first + n * timedelta(minutes=15)).astimezone(tz) for n in range(count)]


@pytest.mark.parametrize(("zone", "start", "kind"), KINDS)
def test_every_wall_time_is_in_a_partition(zone: str, start: str, kind: str) -> None:
    made = windows(zone, start, kind)
    bounds = [window.times_of_day for window in made]

    for moment in quarters(zone, made):
        shown = moment.replace(tzinfo=None, fold=0)
        assert any(first <= shown < last for first, last in bounds), moment
    # One after the other without a gap, so that what no clock shows is loaded as well.
    assert all(after[0] <= before[1] for before, after in pairwise(bounds))
    assert all(first < last for first, last in bounds)


@pytest.mark.parametrize(("zone", "start", "kind"), KINDS)
def test_every_instant_is_in_one_partition_and_every_text_in_its_own(
    zone: str, start: str, kind: str
) -> None:
    made = windows(zone, start, kind)
    rows = quarters(zone, made)
    with sqlite3.connect(":memory:") as database:
        database.execute("create table t (n integer, at)")
        database.executemany(
            "insert into t values (?, ?)",
            [(n, moment.isoformat()) for n, moment in enumerate(rows)],
        )
        found: list[int] = []
        for window in made:
            limit = PartitionLimit("at", window, hourly=kind == "hourly")
            condition = limit.build_condition(COLUMN, SQLITE)
            here = [n for (n,) in database.execute(f"select n from t where {condition}")]
            assert all(
                window.start.timestamp() <= rows[n].timestamp() < window.end.timestamp()
                for n in here
            )
            found += here
    assert sorted(found) == list(range(len(rows)))


DAY = Window(datetime(2024, 7, 1, tzinfo=UTC), datetime(2024, 7, 2, tzinfo=UTC))
HOUR = Window(datetime(2024, 7, 1, 10, tzinfo=UTC), datetime(2024, 7, 1, 11, tzinfo=UTC))
TEXTS = [
    "2024-06-30 23:59:59", "2024-07-01", "2024-07-01T00:00:00", "2024-07-01 09:59:59.999",
    "2024-07-01T10:00:00", "2024-07-01 10:30", "2024-07-01T12:30:00+02:00",
    "2024-07-01T10:59:59Z", "2024-07-01T11:00:00", "2024-07-02", "2024-07-02 00:00:00",
    "2024-07-02T00:30:00+02:00", None, "soon", "10:30", 1719828000, 2460493.5, "2024-07-99",
]  # fmt: skip


def select(condition: str) -> list[object]:
    with sqlite3.connect(":memory:") as database:
        database.execute("create table t (at)")
        database.executemany("insert into t values (?)", [(text,) for text in TEXTS])
        return [at for (at,) in database.execute(f"select at from t where {condition}")]


def test_texts_of_sqlite_are_compared_as_times() -> None:
    assert select(PartitionLimit("at", DAY).build_condition(COLUMN, SQLITE)) == [
        *TEXTS[1:9],
        "2024-07-02T00:30:00+02:00",
    ]
    hour = PartitionLimit("at", HOUR, hourly=True)
    assert select(hour.build_condition(COLUMN, SQLITE)) == TEXTS[4:8]


def test_values_of_sqlite_that_no_partition_has_room_for_are_found() -> None:
    unplaceable = PartitionLimit("at", DAY).find_unplaceable(COLUMN, SQLITE)
    assert unplaceable is not None
    assert select(unplaceable) == ["soon", "10:30", 1719828000, 2460493.5, "2024-07-99"]
    of_hours = PartitionLimit("at", HOUR, hourly=True).find_unplaceable(COLUMN, SQLITE)
    assert of_hours is not None
    assert {"2024-07-01", "2024-07-02"} < set(select(of_hours))


def test_dates_place_rows_in_days_whatever_the_zone_and_in_no_hours() -> None:
    dates = [SourceColumn("on", "date")]
    [day, *_] = windows("America/Havana", "2024-03-10", "daily")  # it has no midnight
    limit = PartitionLimit("on", day)
    assert limit.build_condition(dates, DIALECTS["postgres"]) == (
        "\"on\" >= '2024-03-10' and \"on\" < '2024-03-11'"
    )
    [hour, *_] = windows("UTC", "2024-03-10", "hourly")
    with pytest.raises(UnreadableWindowError, match="holds dates: they cannot place a row"):
        PartitionLimit("on", hour, hourly=True).build_condition(dates, DIALECTS["postgres"])
    whole_day = Window(DAY.start, DAY.end)
    assert "2024-07-02" in PartitionLimit("on", whole_day, hourly=True).build_condition(
        dates, DIALECTS["postgres"]
    )

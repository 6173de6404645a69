"""Partitions, and the window that a run of some of them covers."""

# Dagster reads the annotations of an op's function: they must not be postponed here.

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories.core.meta.partitions import (
    PartitionSpec,
    UnreadableWindowError,
    Window,
    partitions_definition,
    window,
)

NEW_YORK = ZoneInfo("America/New_York")
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


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


# --- windows of real runs ---


def run_and_find_window(partition: PartitionSpec | None, **run: Any) -> Any:
    """Run an asset as Dagster does; return the window that it saw."""
    seen: list[Any] = []

    @dg.multi_asset(
        specs=[dg.AssetSpec("a")],
        partitions_def=partitions_definition(partition) if partition else None,
        backfill_policy=dg.BackfillPolicy.single_run() if partition else None,
    )
    def load(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        seen.append(window(context))
        yield dg.MaterializeResult("a")

    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([load], instance=instance, **run)
    return seen[0]


def range_tags(first: str, last: str) -> dict[str, str]:
    return {RANGE_START: first, RANGE_END: last}


DAILY = spec(type="daily", start="2013-01-01")
DAILY_NY = spec(type="daily", start="2013-01-01", timezone="America/New_York")


def test_a_single_partition_is_half_open_from_its_start_to_the_next() -> None:
    found = run_and_find_window(DAILY, partition_key="2013-03-05")
    utc = ZoneInfo("UTC")
    assert found == Window(datetime(2013, 3, 5, tzinfo=utc), datetime(2013, 3, 6, tzinfo=utc))


def test_a_range_is_one_window() -> None:
    found = run_and_find_window(DAILY, tags=range_tags("2013-03-05", "2013-03-07"))
    utc = ZoneInfo("UTC")
    assert found == Window(datetime(2013, 3, 5, tzinfo=utc), datetime(2013, 3, 8, tzinfo=utc))


def test_a_window_is_in_the_partitions_own_time_zone() -> None:
    found = run_and_find_window(DAILY_NY, partition_key="2013-01-05")
    assert (found.start.isoformat(), found.end.isoformat()) == (
        "2013-01-05T00:00:00-05:00",
        "2013-01-06T00:00:00-05:00",
    )


@pytest.mark.parametrize(("day", "hours"), [("2013-03-10", 23), ("2013-11-03", 25)])
def test_the_day_on_which_the_clocks_change_is_covered_whole(day: str, hours: int) -> None:
    found = run_and_find_window(DAILY_NY, partition_key=day)
    # Aware datetimes of one zone are subtracted as the clock on the wall shows them.
    elapsed = found.end.timestamp() - found.start.timestamp()
    assert elapsed == hours * 3600
    assert (found.start.hour, found.end.hour) == (0, 0)


def test_static_partitions_are_covered_by_key() -> None:
    airports = spec(type="static", keys=["EWR", "JFK", "LGA"])
    assert run_and_find_window(airports, partition_key="JFK") == ("JFK",)
    assert run_and_find_window(airports, tags=range_tags("EWR", "JFK")) == ("EWR", "JFK")


def test_assets_without_partitions_have_no_window() -> None:
    assert run_and_find_window(None) is None


@pytest.mark.parametrize("partition", [DAILY, spec(type="static", keys=["a", "b"])])
def test_a_run_that_names_no_partition_is_refused_and_not_unbounded(
    partition: PartitionSpec,
) -> None:
    with pytest.raises(UnreadableWindowError, match="the run names no partition: launch it for"):
        run_and_find_window(partition)


SPANS = {
    "hourly": timedelta(days=3),
    "daily": timedelta(days=40),
    "weekly": timedelta(weeks=30),
    "monthly": timedelta(days=800),
}


# One whose offset is not a whole hour, one whose clocks change at midnight. Not Lord Howe Island's,
# whose clocks change by half an hour: there Dagster's hours begin at half past from then on.
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

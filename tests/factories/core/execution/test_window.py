"""The window that a run of some partitions covers."""

# Dagster reads the annotations of an op's function: they must not be postponed here.

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from factories.core.execution.window import UnreadableWindowError, Window, window
from factories.core.meta.partitions import PartitionSpec, partitions_definition

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def spec(**values: Any) -> PartitionSpec:
    return PartitionSpec.model_validate(values)


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

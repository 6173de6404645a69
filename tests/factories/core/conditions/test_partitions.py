"""What the built-in automation conditions ask for of assets with partitions."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest
import sqlalchemy

from tests.factories.core.conditions.story import Story, condition

DAILY = dg.DailyPartitionsDefinition("2024-01-01")
HOURLY = dg.HourlyPartitionsDefinition("2024-01-01-00:00")


@pytest.fixture
def story() -> Story:
    story = Story()
    story.at("01:00", day=10)
    return story


def daily(story: Story, name: str, found: Any = None, deps: Any = ()) -> dg.AssetsDefinition:
    return story.asset(name, found, deps, partitions_def=DAILY)


def test_a_tick_asks_for_the_latest_partition(story: Story) -> None:
    story.define(daily(story, "d", condition("on_cron_no_deps")))
    assert story.tick() == set()
    story.at("02:05")
    assert story.run_what_is_asked() == {"d[2024-01-09]"}
    story.later(minutes=30)
    assert story.tick() == set()


@pytest.mark.parametrize(
    ("catch_up", "days"), [("latest", [13]), ("all", [11, 12, 13]), (2, [12, 13])]
)
def test_after_three_days_outage_partitions_are_made_up_as_catch_up_says(
    story: Story, catch_up: Any, days: list[int]
) -> None:
    story.define(daily(story, "d", condition("on_cron_no_deps", catch_up=catch_up)))
    story.tick()
    for day in (10, 11):
        story.at("02:05", day=day)
        assert story.run_what_is_asked() == {f"d[2024-01-{day - 1:02}]"}
    story.at("02:05", day=14)
    assert story.run_what_is_asked() == {f"d[2024-01-{day:02}]" for day in days}
    story.later(minutes=30)
    assert story.tick() == set()
    story.at("02:05", day=15)
    assert story.tick() == {"d[2024-01-14]"}


def test_with_deps_waits_for_the_same_partition(story: Story) -> None:
    story.define(daily(story, "up"), daily(story, "d", condition("on_cron_with_deps"), ["up"]))
    story.run("up", partition="2024-01-08")
    story.tick()
    story.at("02:05")
    assert story.tick() == set()
    story.run("up", partition="2024-01-07")
    story.later(minutes=1)
    assert story.tick() == set()
    story.run("up", partition="2024-01-09")
    story.later(minutes=1)
    assert story.tick() == {"d[2024-01-09]"}


def test_late_data_in_an_old_partition_reaches_its_downstream_partition(story: Story) -> None:
    story.define(daily(story, "up"), daily(story, "d", condition("on_upstream_change"), ["up"]))
    for day in ("2024-01-03", "2024-01-09"):
        story.run("up", partition=day)
        story.run("d", partition=day)
    story.tick()
    story.later(minutes=1)
    story.run("up", partition="2024-01-03")
    story.later(minutes=1)
    assert story.run_what_is_asked() == {"d[2024-01-03]"}
    story.later(minutes=1)
    assert story.tick() == set()


def test_a_partition_that_is_updated_while_its_downstream_runs_is_asked_for_again(
    story: Story,
) -> None:
    story.define(daily(story, "up"), daily(story, "d", condition("on_upstream_change"), ["up"]))
    story.run("up", "d", partition="2024-01-09")
    story.tick()
    story.run("up", partition="2024-01-09")
    story.later(minutes=1)
    asked = story.tick()
    assert asked == {"d[2024-01-09]"}
    inside = []

    def meanwhile() -> None:
        story.later(minutes=1)
        story.run("up", partition="2024-01-09")
        inside.append(story.tick())

    story.inside["d"] = meanwhile
    story.carry_out(asked)
    assert inside == [set()]
    story.later(minutes=1)
    assert story.run_what_is_asked() == {"d[2024-01-09]"}
    story.later(minutes=1)
    assert story.tick() == set()


def test_one_run_of_both_asks_for_nothing(story: Story) -> None:
    story.define(daily(story, "up"), daily(story, "d", condition("on_upstream_change"), ["up"]))
    story.tick()
    for day in ("2024-01-02", "2024-01-03", "2024-01-09"):
        story.run("up", "d", partition=day)
    story.later(minutes=1)
    assert story.tick() == set()


def test_daily_up_with_one_old_hole_does_not_hold_an_asset_without_partitions(
    story: Story,
) -> None:
    story.define(daily(story, "up"), story.asset("d", condition("on_upstream_change"), ["up"]))
    story.run("up", partition="2024-01-05")
    story.run("d")
    story.tick()
    story.later(minutes=1)
    story.run("up", partition="2024-01-07")
    story.later(minutes=1)
    assert story.run_what_is_asked() == {"d"}
    story.later(minutes=1)
    assert story.tick() == set()


def test_daily_from_hourly_runs_once_its_hours_are_there(story: Story) -> None:
    hours = story.asset("hours", partitions_def=HOURLY)
    story.define(hours, daily(story, "d", condition("on_upstream_change"), ["hours"]))
    story.tick()
    for hour in range(24):
        story.report("hours", f"2024-01-09-{hour:02}:00")
        if hour in (5, 22):
            story.later(minutes=1)
            assert story.tick() == set()
            assert "was never made" in story.why["d"][0]
    story.later(minutes=1)
    assert story.tick() == {"d[2024-01-09]"}


def test_a_sweep_over_many_partitions_takes_no_more_statements_than_over_few(
    story: Story,
) -> None:
    hours = [f"2024-01-{day:02}-{hour:02}:00" for day in range(1, 10) for hour in range(24)]

    @dg.observable_source_asset(name="src", partitions_def=HOURLY)
    def src() -> None: ...

    story.define(
        src,
        story.asset("d", condition("on_upstream_change"), ["src"], partitions_def=HOURLY),
    )

    def sweep(found: list[str], version: str) -> tuple[int, int]:
        """Observe partitions; return how many are asked for then, and by how many statements."""
        with story.clock():
            for hour in found:
                observed = dg.AssetObservation(
                    "src", partition=hour, tags={"dagster/data_version": version}
                )
                story.instance.report_runless_asset_event(observed)
        story.later(minutes=1)
        statements: list[str] = []

        def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            statements.append(statement)

        sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", count)
        try:
            asked = story.tick()
        finally:
            sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", count)
        return len(asked), len(statements)

    story.tick()
    few = sweep(hours[:10], "1")
    many = sweep(hours, "2")
    assert (few[0], many[0]) == (10, len(hours))
    assert many[1] <= few[1]


def test_own_failure_of_a_partition_is_asked_for_again(story: Story) -> None:
    found = condition("on_cron_no_deps", retry={"max": 1, "delay": "5m"})
    story.define(daily(story, "d", found))
    story.tick()
    story.at("02:05")
    story.failing.add("d")
    assert story.run_what_is_asked() == {"d[2024-01-09]"}
    story.later(minutes=1)
    assert story.tick() == set()
    story.later(minutes=6)
    assert story.run_what_is_asked() == {"d[2024-01-09]"}
    for _ in range(3):
        story.later(minutes=10)
        assert story.tick() == set()
    assert "it failed 2 times" in story.why["d"][0]


def test_nothing_is_asked_for_while_the_partition_is_in_progress(story: Story) -> None:
    story.define(daily(story, "d", condition("on_cron_no_deps")))
    story.tick()
    inside = []

    def meanwhile() -> None:
        story.at("02:05")
        inside.append(story.tick())

    story.inside["d"] = meanwhile
    story.run("d", partition="2024-01-09")
    assert inside == [set()]
    story.later(minutes=1)
    assert story.tick() == {"d[2024-01-09]"}


def test_the_partitions_start_moved_while_one_waits(story: Story) -> None:
    def define(start: str) -> None:
        partitions = dg.DailyPartitionsDefinition(start)
        story.define(
            story.asset("other"),
            story.asset("up", partitions_def=partitions),
            story.asset(
                "d", condition("on_upstream_change"), ["up", "other"], partitions_def=partitions
            ),
        )

    define("2024-01-01")
    story.tick()
    story.run("up", partition="2024-01-02")
    story.later(minutes=1)
    assert story.tick() == set()  # `other` is missing
    define("2024-01-05")
    story.run("other")
    story.later(minutes=1)
    assert "d[2024-01-02]" not in story.tick()


def test_static_partitions_are_all_due_at_a_tick(story: Story) -> None:
    regions = dg.StaticPartitionsDefinition(["eu", "us"])
    story.define(story.asset("d", condition("on_cron_no_deps"), partitions_def=regions))
    story.tick()
    story.at("02:05")
    assert story.tick() == {"d[eu]", "d[us]"}


def test_asset_added_below_existing_partitions_gets_what_catch_up_says(story: Story) -> None:
    up = daily(story, "up")
    story.define(up)
    for day in ("2024-01-08", "2024-01-09"):
        story.run("up", partition=day)
    story.tick()
    story.define(
        up,
        daily(story, "latest", condition("on_upstream_change"), ["up"]),
        daily(story, "two", condition("on_upstream_change", catch_up=2), ["up"]),
    )
    story.later(minutes=1)
    assert story.tick() == {"latest[2024-01-09]", "two[2024-01-08]", "two[2024-01-09]"}


def test_a_failed_check_of_another_partition_holds_nothing(story: Story) -> None:
    @dg.multi_asset(
        name="up",
        specs=[dg.AssetSpec("up")],
        check_specs=[dg.AssetCheckSpec("rows", asset="up", blocking=True)],
        partitions_def=DAILY,
    )
    def up(context):
        yield dg.MaterializeResult(asset_key="up")
        passed = context.partition_key not in story.failing
        yield dg.AssetCheckResult(asset_key="up", check_name="rows", passed=passed)

    story.define(up, daily(story, "d", condition("on_upstream_change"), ["up"]))
    story.tick()
    story.failing.add("2024-01-08")
    story.run("up", partition="2024-01-09")
    story.run("up", partition="2024-01-08")
    story.later(minutes=1)
    assert story.tick() == {"d[2024-01-09]"}
    assert any("has failed" in line for line in story.why["d"])


def test_unpartitioned_up_asks_for_the_latest_partition(story: Story) -> None:
    story.define(story.asset("up"), daily(story, "d", condition("on_upstream_change"), ["up"]))
    story.run("up")
    story.run("d", partition="2024-01-09")
    story.tick()
    story.later(minutes=1)
    story.run("up")
    story.later(minutes=1)
    assert story.run_what_is_asked() == {"d[2024-01-09]"}
    story.later(minutes=1)
    assert story.tick() == set()


def test_each_partition_that_failed_is_asked_for_again(story: Story) -> None:
    """A person makes several partitions, a run for each; two fail while a third goes on."""
    days = [f"2024-01-0{day}" for day in (3, 4, 5)]
    d = daily(story, "d", condition("on_upstream_change", retry={"max": 1, "delay": "5m"}), ["up"])
    story.define(daily(story, "up"), d)
    for day in days:
        story.run("up", "d", partition=day)
    story.tick()
    story.later(minutes=1)
    slow = story.begin_run("d", partition=days[2])
    story.failing.add("d")
    for day in days[:2]:
        story.run("d", partition=day)
    story.later(minutes=1)
    assert story.tick() == set()
    story.end_run(slow)
    story.later(minutes=6)
    assert story.run_what_is_asked() == {f"d[{day}]" for day in days[:2]}
    for _ in range(3):
        story.later(minutes=6)
        assert story.run_what_is_asked() <= {f"d[{days[2]}]"}
    assert sum("it failed 2 times" in line for line in story.why["d"]) == 1

"""An update that has changed no data asks for nothing, where the step says so by its version."""

from __future__ import annotations

import dagster as dg
import pytest

from tests.factories.core.conditions.story import Story, condition

DAILY = dg.DailyPartitionsDefinition("2024-01-01")
CHANGE = "on_upstream_change"


@pytest.fixture
def story() -> Story:
    story = Story()
    story.at("01:00", day=10)
    return story


def update(story: Story, version: str, *, name: str = "up", partition: str | None = None) -> None:
    """Make an asset, with data of a version."""
    story.versions[name] = version
    story.later(minutes=1)
    assert story.run(name, partition=partition)
    story.later(minutes=1)


def test_an_update_with_the_same_data_asks_for_nothing_and_says_so(story: Story) -> None:
    story.define(story.asset("up"), story.asset("d", condition(CHANGE), ["up"]))
    update(story, "one")
    assert story.run_what_is_asked() == {"d"}
    story.later(minutes=1)
    story.tick()
    update(story, "one")
    assert story.tick() == set()
    assert story.why["d"] == ["Nothing to do: up was updated, but its data are the same"]
    update(story, "two")
    assert story.run_what_is_asked() == {"d"}
    story.later(minutes=1)
    assert story.tick() == set()
    assert story.why["d"] == ["Nothing to do: no upstream asset has changed"]


def test_another_upstream_asset_that_has_changed_asks_for_a_run(story: Story) -> None:
    d = story.asset("d", condition(CHANGE), ["one", "two"])
    story.define(story.asset("one"), story.asset("two"), d)
    story.versions.update(one="a", two="a")
    story.run("one", "two", "d")
    story.tick()
    update(story, "a", name="one")
    update(story, "b", name="two")
    assert story.tick() == {"d"}


def test_what_is_downstream_of_an_asset_that_has_not_changed_is_skipped_too(story: Story) -> None:
    story.define(
        story.asset("up"),
        story.asset("d", condition(CHANGE), ["up"]),
        story.asset("e", condition(CHANGE), ["d"]),
    )
    story.versions.update(up="a", d="a")
    story.run("up", "d", "e")
    story.tick()
    update(story, "b")
    update(story, "a", name="d")
    assert story.tick() == set()
    assert story.why["e"] == ["Nothing to do: d was updated, but its data are the same"]


def test_a_change_that_d_has_not_seen_counts_though_a_later_update_has_changed_nothing(
    story: Story,
) -> None:
    story.define(story.asset("up"), story.asset("d", condition(CHANGE), ["up"]))
    update(story, "one")
    story.run("d")
    story.tick()
    update(story, "two")
    update(story, "two")
    assert story.tick() == {"d"}


def test_a_change_while_d_runs_is_not_lost(story: Story) -> None:
    story.define(story.asset("up"), story.asset("d", condition(CHANGE), ["up"]))
    update(story, "one")
    asked = story.tick()
    story.inside["d"] = lambda: update(story, "two")
    story.carry_out(asked)
    update(story, "two")
    assert story.run_what_is_asked() == {"d"}
    story.later(minutes=1)
    assert story.tick() == set()


def test_versions_that_dagster_makes_up_tell_nothing(story: Story) -> None:
    story.define(story.asset("up", code_version="1"), story.asset("d", condition(CHANGE), ["up"]))
    story.run("up", "d")
    story.tick()
    for _ in range(2):
        story.later(minutes=1)
        story.run("up")
        story.later(minutes=1)
        assert story.run_what_is_asked() == {"d"}
    update(story, "one")
    assert story.run_what_is_asked() == {"d"}


def test_a_cron_with_deps_takes_an_update_with_the_same_data_for_an_update(story: Story) -> None:
    story.define(story.asset("up"), story.asset("d", condition("on_cron_with_deps"), ["up"]))
    update(story, "one")
    story.run("d")
    story.tick()
    story.at("02:05")
    assert story.tick() == set()
    update(story, "one")
    assert story.tick() == {"d"}


def test_only_the_partitions_whose_data_have_changed_are_asked_for(story: Story) -> None:
    up = story.asset("up", partitions_def=DAILY)
    story.define(up, story.asset("d", condition(CHANGE), ["up"], partitions_def=DAILY))
    for day in ("2024-01-03", "2024-01-04"):
        update(story, f"first of {day}", partition=day)
        story.run("d", partition=day)
    story.tick()
    update(story, "second of 2024-01-04", partition="2024-01-04")
    update(story, "first of 2024-01-03", partition="2024-01-03")
    assert story.run_what_is_asked() == {"d[2024-01-04]"}
    story.later(minutes=1)
    assert story.tick() == set()
    update(story, "second of 2024-01-03", partition="2024-01-03")
    assert story.tick() == {"d[2024-01-03]"}


def test_a_partition_of_several_upstream_partitions(story: Story) -> None:
    weekly = dg.WeeklyPartitionsDefinition("2024-01-01")
    up = story.asset("up", partitions_def=DAILY)
    story.define(up, story.asset("d", condition(CHANGE), ["up"], partitions_def=weekly))
    story.at("01:00", day=20)
    days = [f"2024-01-{day:02}" for day in range(7, 14)]
    for day in days:
        update(story, f"first of {day}", partition=day)
    assert story.run_what_is_asked() == {"d[2024-01-07]"}
    update(story, f"first of {days[2]}", partition=days[2])
    assert story.tick() == set()
    update(story, f"second of {days[2]}", partition=days[2])
    assert story.tick() == {"d[2024-01-07]"}


def test_an_asset_without_partitions_runs_for_each_update_of_partitions(story: Story) -> None:
    """Dagster notes the version of one partition alone, which may be another than was updated."""
    up = story.asset("up", partitions_def=DAILY)
    story.define(up, story.asset("d", condition(CHANGE), ["up"]))
    update(story, "one", partition="2024-01-03")
    story.run("d")
    story.tick()
    update(story, "one", partition="2024-01-03")
    assert story.tick() == {"d"}


def test_the_latest_partition_below_an_asset_without_partitions(story: Story) -> None:
    d = story.asset("d", condition(CHANGE), ["up"], partitions_def=DAILY)
    story.define(story.asset("up"), d)
    update(story, "one")
    story.run("d", partition="2024-01-09")
    story.tick()
    update(story, "one")
    assert story.tick() == set()
    update(story, "two")
    assert story.run_what_is_asked() == {"d[2024-01-09]"}
    update(story, "two")
    story.at("01:00", day=11)
    update(story, "two")
    assert story.tick() == {"d[2024-01-10]"}  # which was never made


def test_assets_of_one_step_note_what_they_were_made_of(story: Story) -> None:
    @dg.multi_asset(
        name="both",
        specs=[
            dg.AssetSpec("up"),
            dg.AssetSpec("d", deps=["up"], automation_condition=condition(CHANGE)),
        ],
        can_subset=True,
    )
    def both(context):
        for key in ("up", "d"):
            if dg.AssetKey(key) in context.selected_asset_keys:
                version = dg.DataVersion(story.versions.get(key, "none"))
                yield dg.MaterializeResult(asset_key=key, data_version=version)

    story.define(both)
    update(story, "one")
    update(story, "two", name="d")
    story.versions["up"] = "two"
    story.run("up", "d")
    story.later(minutes=1)
    story.tick()
    update(story, "two")
    assert story.tick() == set()
    update(story, "three")
    assert story.tick() == {"d"}

"""A run that automation asks for tells why it is there, and in which code location."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.run_coordinator.base import SubmitRunContext
from dagster._core.storage.tags import ASSET_EVALUATION_ID_TAG, PARTITION_NAME_TAG

from factories.core.execution.instance import PlatformInstance
from factories.core.execution.run_coordinator import TellingRunCoordinator, cause_tags
from tests.factories.core.conditions.story import Story, condition

ROOT = Path(__file__).parents[4]


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield Story(instance)


def tags_of(story: Story, *names: str, partition: str | None = None) -> dict[str, str]:
    """The tags of a run of some assets that the story's last evaluation has asked for."""
    storage = story.instance.schedule_storage
    assert storage is not None
    evaluations = [outcome.serializable_evaluation.with_run_ids(set()) for outcome in story.results]
    storage.add_auto_materialize_asset_evaluations(7, evaluations)
    run = dg.DagsterRun(
        job_name="__ASSET_JOB",
        asset_selection=frozenset(dg.AssetKey(name) for name in names),
        tags={
            ASSET_EVALUATION_ID_TAG: "7",
            **({PARTITION_NAME_TAG: partition} if partition else {}),
        },
    )
    return cause_tags(story.instance, run, 7)


@pytest.mark.programs
def test_causes_of_all_its_assets_are_tags(story: Story) -> None:
    change = condition("on_upstream_change")
    story.define(
        story.asset("up", condition("on_cron_no_deps")),
        story.asset("d", change, ["up"]),
        story.asset("other", condition("on_cron_no_deps", cron_schedule="0 1 * * *")),
    )
    story.run("up", "d", "other")
    story.at("01:30")
    story.tick()
    story.at("02:30")
    assert story.tick() == {"up", "d"}
    assert tags_of(story, "up", "d") == {
        "dp/condition": "on_cron_no_deps, on_upstream_change",
        "dp/cause": "the cron ticked at 2024-01-01 02:00 UTC; up runs in the same run",
    }


@pytest.mark.programs
def test_only_the_causes_of_its_partition_count(story: Story) -> None:
    story.at("01:00", day=10)
    days = dg.DailyPartitionsDefinition("2024-01-01")
    story.define(
        story.asset("up", partitions_def=days),
        story.asset("d", condition("on_upstream_change"), ["up"], partitions_def=days),
    )
    for day in ("2024-01-03", "2024-01-09"):
        story.run("up", "d", partition=day)
    story.tick()
    story.later(minutes=1)
    story.run("up", partition="2024-01-03")
    story.later(minutes=1)
    assert story.tick() == {"d[2024-01-03]"}
    assert tags_of(story, "d", partition="2024-01-03")["dp/cause"] == "up was updated"
    assert "dp/cause" not in tags_of(story, "d", partition="2024-01-09")


@pytest.mark.programs
def test_what_a_sensor_asks_for_gets_its_code_location(story: Story) -> None:
    location = RegisteredCodeLocationOrigin("ingestion")
    repository = RemoteRepositoryOrigin(location, "__repository__")
    run = story.instance.add_run(
        dg.DagsterRun(
            job_name="__ASSET_JOB",
            tags={"dp/cause": "run 1 failed: try 2"},
            remote_job_origin=RemoteJobOrigin(repository, "__ASSET_JOB"),
        )
    )
    coordinator = TellingRunCoordinator()
    coordinator.register_instance(story.instance)

    coordinator.submit_run(SubmitRunContext(run, workspace=None))

    queued = story.instance.get_run_by_id(run.run_id)
    assert queued is not None
    assert queued.tags["dp/location"] == "ingestion"


def test_projects_instance_knows_the_conditions_and_tells_causes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    shutil.copyfile(ROOT / "dagster.yaml", tmp_path / "dagster.yaml")
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance, PlatformInstance)
        assert isinstance(instance.run_coordinator, TellingRunCoordinator)
        limits = instance.get_concurrency_config().run_queue_config
        assert limits is not None
        assert limits.max_concurrent_runs == 4
        assert [limit["key"] for limit in limits.tag_concurrency_limits] == ["dp/location"]

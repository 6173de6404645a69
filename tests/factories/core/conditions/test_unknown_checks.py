"""Checks whose result is unknown are asked for once what they lacked is there."""

from __future__ import annotations

import dagster as dg
import pytest

from factories.core.conditions.unknown_checks import (
    ALSO_READS,
    TRIES,
    may_be_unknown,
    unknown_checks_sensor,
    unknown_metadata,
)
from tests.factories.core.conditions.story import Story

AIRPORTS = dg.AssetKey("airports")
CHECK = dg.AssetCheckKey(dg.AssetKey("facts"), "known")
TAGS = {"dagster/sensor_name": "unknown_checks"}


class UnknownStory(Story):
    """A table whose check reads another one, which may be missing."""

    def __init__(self) -> None:
        super().__init__()
        spec = dg.AssetCheckSpec("known", asset="facts", metadata={ALSO_READS: ["airports"]})
        other = dg.AssetCheckSpec("other", asset="facts")

        @dg.multi_asset(specs=[dg.AssetSpec("facts")], check_specs=[spec, other], can_subset=True)
        def facts(context):
            if context.selected_asset_keys:
                yield dg.MaterializeResult(asset_key="facts")
            made = self.instance.get_latest_materialization_event(AIRPORTS)
            metadata = {} if made else unknown_metadata(AIRPORTS, self._timestamp())
            if CHECK in context.selected_asset_check_keys:
                yield dg.AssetCheckResult(
                    asset_key="facts", check_name="known", passed=bool(made),
                    severity=dg.AssetCheckSeverity.WARN, metadata=metadata,
                )  # fmt: skip

        self.define(self.asset("airports"), facts)
        assert may_be_unknown(self.definitions.assets or ()) == [CHECK]
        self.sensor = unknown_checks_sensor([CHECK], dg.DefaultSensorStatus.RUNNING)

    def look(self) -> list[dg.RunRequest]:
        repository = self.definitions.get_repository_def()
        with self.clock():
            context = dg.build_sensor_context(self.instance, repository_def=repository)
            return list(self.sensor.evaluate_tick(context).run_requests or ())

    def begin(self, request: dg.RunRequest) -> dg.DagsterRun:
        """Create the run that was asked for, as the daemon does."""
        job = self._job().get_subset(
            asset_selection={*(request.asset_selection or ())},
            asset_check_selection={*(request.asset_check_keys or ())},
        )
        with self.clock():
            return self.instance.create_run_for_job(job, tags={**request.tags, **TAGS})


@pytest.fixture
def story() -> UnknownStory:
    return UnknownStory()


def test_it_is_asked_for_once_when_the_table_was_made(story: UnknownStory) -> None:
    story.run("facts")
    story.later(minutes=1)
    assert story.look() == []

    story.run("airports")
    (request,) = story.look()
    assert request.asset_check_keys == [CHECK]
    assert not request.asset_selection
    assert story.look()[0].run_key == request.run_key  # of one key Dagster starts one run

    run = story.begin(request)
    story.later(minutes=1)
    assert story.look() == []
    with story.clock():
        job = story._job().get_subset(asset_selection=set(), asset_check_selection={CHECK})
        job.execute_in_process(instance=story.instance, run_id=None)
        story.instance.report_run_canceled(run)
    story.later(hours=1)
    assert story.look() == []


def test_a_run_of_it_that_failed_is_tried_again_a_bounded_number_of_times(
    story: UnknownStory,
) -> None:
    story.run("facts")
    story.later(minutes=1)
    story.run("airports")
    attempts = []
    while requests := story.look():
        (request,) = requests
        attempts.append(request.tags["dp/attempt"])
        run = story.begin(request)
        assert story.look() == []
        with story.clock():
            story.instance.report_run_failed(run)
        story.later(minutes=1)
        assert story.look() == []
        story.later(minutes=6)
    assert attempts == [str(number) for number in range(1, TRIES + 2)]


def test_a_run_of_somebody_else_that_failed_is_left_alone(story: UnknownStory) -> None:
    story.run("facts")
    run_id = story.begin_run("facts")
    story.end_run(run_id)
    story.later(hours=1)
    story.run("airports")
    assert story.look() == []

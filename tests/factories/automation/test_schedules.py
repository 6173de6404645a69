"""Schedules of YAML: what they request at a tick, and where they are on."""

from __future__ import annotations

import datetime as dt

import dagster as dg
import pytest

from factories.automation.schedules import ended_partitions
from factories.automation.schema import ScheduleItem
from tests.factories.automation.conftest import Location


def test_a_job_from_yaml_runs_at_its_schedules_tick(location: Location) -> None:
    location.write(
        """
        jobs:
          load_raw:
            selection: group:raw or group:marts
            description: Loads and sums up.
            tags: {team: sales}
            run_config: {ops: {load: {config: {path: of_job, number: 1}}}}
        schedules:
          nightly:
            cron: "0 5 * * *"
            timezone: America/New_York
            job: load_raw
            tags: {night: "yes"}
            run_config: {ops: {load: {config: {number: 2}}}}
        """
    )
    schedule = location.definitions.get_repository_def().get_schedule_def("nightly")
    (request,) = location.tick("nightly", "2024-03-01T10:00").run_requests
    result = location.run("load_raw", request)

    assert (schedule.cron_schedule, schedule.execution_timezone) == (
        "0 5 * * *",
        "America/New_York",
    )
    assert {event.asset_key for event in result.get_asset_materialization_events()} == {
        dg.AssetKey("load"),
        dg.AssetKey("mart"),
    }
    (loaded,) = result.asset_materializations_for_node("load")
    assert (loaded.metadata["path"].value, loaded.metadata["number"].value) == ("of_job", 2)
    run = location.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags["team"] == "sales"
    assert run.tags["night"] == "yes"
    assert run.tags["dp/cause"] == "schedule nightly, tick 2024-03-01 10:00 UTC"
    assert run.tags["dp/location"] == "shop"
    assert run.tags["dagster/schedule_name"] == "nightly"


@pytest.mark.parametrize(
    ("cron", "selection", "moment", "keys"),
    [
        ("0 5 * * *", "daily", "2024-03-02T05:00", ["2024-03-01"]),
        ("0 0 * * *", "daily", "2024-03-02T00:00", ["2024-03-01"]),
        ("0 */6 * * *", "daily", "2024-03-02T06:00", []),
        ("0 5 * * 1", "daily", "2024-03-11T05:00", [f"2024-03-{day:02}" for day in range(4, 11)]),
        ("30 */3 * * *", "hourly", "2024-03-02T03:30", [f"2024-03-02-0{h}:00" for h in range(3)]),
        ("0 5 * * *", "fixed", "2024-03-02T05:00", ["ewr", "jfk"]),
        ("0 5 * * *", "daily", "2023-03-02T05:00", []),
    ],
)
def test_a_tick_runs_the_partitions_that_have_ended_since_the_one_before(
    location: Location, cron: str, selection: str, moment: str, keys: list[str]
) -> None:
    location.write(f"schedules: {{s: {{cron: '{cron}', selection: {selection}}}}}\n")
    tick = location.tick("s", moment)

    assert [request.partition_key for request in tick.run_requests] == keys
    assert [request.run_key for request in tick.run_requests] == keys
    assert (tick.skip_message is None) == bool(keys)


@pytest.mark.parametrize(
    ("offset", "keys"),
    [(-1, ["2024-02-29"]), (1, ["2024-03-02"]), (0, ["2024-03-01"])],
)
def test_partitions_that_end_earlier_or_later_are_run_once_each(
    offset: int, keys: list[str]
) -> None:
    days = dg.DailyPartitionsDefinition("2024-01-01", end_offset=offset)
    item = ScheduleItem(cron="0 5 * * *", job="j")
    moments = [dt.datetime(2024, 3, day, 5, tzinfo=dt.UTC) for day in (2, 3, 4)]
    ran = [key for moment in moments for key in ended_partitions(days, moment, item)]

    assert ran[:1] == keys
    assert len({*ran}) == len(ran) == 3


@pytest.mark.parametrize(
    ("environment", "running", "said"),
    [
        ({"DP_TARGET": "prod"}, True, "Every night."),
        ({}, False, "it is for prod, and this target is local"),
        ({"DP_TARGET": "pr-12"}, False, "it is for prod, and this target is pr-12"),
        ({"DP_TARGET": "prod", "DP_AUTOMATION": "off"}, False, "off here by DP_AUTOMATION."),
    ],
)
def test_it_is_on_in_its_environments_alone_and_says_so(
    location: Location,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    running: bool,
    said: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    common = "job: python_job, environments: prod, description: Every night."
    location.write(
        f"schedules: {{s: {{cron: '0 5 * * *', {common}}}}}\n"
        f"sensors: {{w: {{type: asset_update, assets: load, {common}}}}}\n"
    )
    repository = location.definitions.get_repository_def()
    schedule, sensor = repository.get_schedule_def("s"), repository.get_sensor_def("w")

    assert (schedule.default_status is dg.DefaultScheduleStatus.RUNNING) == running
    assert (sensor.default_status is dg.DefaultSensorStatus.RUNNING) == running
    assert said in str(schedule.description)
    assert said in str(sensor.description)


def test_it_asks_for_nothing_elsewhere_also_when_it_is_switched_on(location: Location) -> None:
    location.write(
        "schedules: {s: {cron: '0 5 * * *', job: python_job, environments: prod}}\n"
        "sensors: {w: {type: asset_update, assets: load, job: python_job, environments: prod}}\n"
    )
    repository = location.definitions.get_repository_def()
    scheduled = dg.build_schedule_context(
        location.instance, dt.datetime(2024, 1, 1, 5, tzinfo=dt.UTC)
    )
    tick = repository.get_schedule_def("s").evaluate_tick(scheduled)
    assert tick.run_requests == []
    assert "it is for prod, and this target is local" in str(tick.skip_message)

    context = dg.build_sensor_context(
        location.instance, cursor="as it was", repository_def=repository, sensor_name="w"
    )
    looked = repository.get_sensor_def("w").evaluate_tick(context)
    assert looked.run_requests == []
    assert "it is for prod, and this target is local" in str(looked.skip_message)
    assert looked.cursor == "as it was"


def test_one_that_is_not_enabled_waits_to_be_switched_on(location: Location) -> None:
    location.write("schedules: {s: {cron: '0 5 * * *', job: python_job, enabled: false}}\n")
    schedule = location.definitions.get_repository_def().get_schedule_def("s")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED

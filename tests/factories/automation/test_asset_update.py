"""The sensor `asset_update`: runs after updates of assets, of whatever code location."""

from __future__ import annotations

import json

import dagster as dg
import pytest

from tests.factories.automation.conftest import Location

ELSEWHERE = "other/raw/orders"


def update(location: Location, key: str, partition: str | None = None) -> None:
    """Report an update, as a run of any code location does."""
    location.instance.report_runless_asset_event(
        dg.AssetMaterialization(dg.AssetKey(key.split("/")), partition=partition)
    )


def keys(location: Location, name: str = "after") -> list[str | None]:
    """The partitions of what a look requests, None for a run without one."""
    return [request.partition_key for request in location.look(name).run_requests]


def test_any_update_since_the_last_look_is_one_run(location: Location) -> None:
    location.write(
        f"""
        sensors:
          after:
            type: asset_update
            assets: [{ELSEWHERE}, load]
            job: python_job
            tags: {{by: "{{asset}}"}}
        """
    )
    update(location, "load")
    assert keys(location) == []  # what was before it looks at first
    assert keys(location) == []
    for _ in range(3):
        update(location, "load")
    update(location, ELSEWHERE)
    (request,) = location.look("after").run_requests

    assert request.tags["by"] == ELSEWHERE
    assert request.tags["dp/cause"] == (
        f"asset {ELSEWHERE} and 1 more, reported from outside of Dagster"
    )
    assert keys(location) == []


def test_the_run_that_updated_is_named(location: Location) -> None:
    location.write(
        """
        jobs: {load_raw: {selection: load}}
        sensors: {after: {type: asset_update, assets: load, job: python_job}}
        """
    )
    location.look("after")
    made = location.run("load_raw", dg.RunRequest(run_key="x"))
    (request,) = location.look("after").run_requests

    assert request.tags["dp/cause"] == f"asset load, materialized by run {made.run_id}"


def test_all_waits_until_each_was_updated(location: Location) -> None:
    location.write(
        f"sensors: {{after: {{type: asset_update, assets: [{ELSEWHERE}, load], when: all,"
        " job: python_job}}\n"
    )
    location.look("after")
    update(location, "load")
    waiting = location.look("after")
    update(location, "load")
    assert keys(location) == []
    update(location, ELSEWHERE)

    assert waiting.skip_message == f"Waits for an update of {ELSEWHERE}."
    assert keys(location) == [None]
    update(location, ELSEWHERE)
    assert keys(location) == []


def test_a_partition_is_run_for_its_update(location: Location) -> None:
    location.write(
        "sensors: {after: {type: asset_update, assets: [other/raw/days, daily], when: all,"
        " selection: daily_sum}}\n"
    )
    location.look("after")
    for day in (1, 2, 3):
        update(location, "daily", f"2024-01-0{day}")
    update(location, "other/raw/days", "2024-01-03")
    update(location, "other/raw/days", "2024-01-01")

    assert keys(location) == ["2024-01-03", "2024-01-01"]
    update(location, "other/raw/days", "2024-01-02")
    (request,) = location.look("after").run_requests
    assert location.run("after", request).success


@pytest.mark.parametrize("when", ["any", "all"])
def test_an_update_of_no_partition_of_the_job_is_told_and_holds_nothing_up(
    location: Location, when: str
) -> None:
    location.write(
        "sensors: {after: {type: asset_update, assets: other/raw/days, selection: daily,"
        f" when: {when}}}}}\n"
    )
    location.look("after")
    update(location, "other/raw/days")
    update(location, "other/raw/days", "2023-12-31")

    assert location.look("after").skip_message == (
        "other/raw/days was updated without a partition, and the job after needs one: left out;"
        " 1 more were left out"
    )
    update(location, "other/raw/days", "2023-12-31")
    update(location, "other/raw/days", "2024-01-01")
    assert keys(location) == ["2024-01-01"]
    assert location.look("after").skip_message == "No update since the last run."


def test_more_updates_than_a_look_reads_are_read_by_the_next(location: Location) -> None:
    location.write(
        "sensors: {after: {type: asset_update, assets: other/raw/days, selection: daily}}\n"
    )
    location.look("after")
    days = [f"2024-{month:02}-{day:02}" for month in range(1, 9) for day in range(1, 29)]
    for day in days:
        update(location, "other/raw/days", day)
    looks = [keys(location) for _ in range(4)]

    assert [len(look) for look in looks] == [100, 100, 24, 0]
    assert [key for look in looks for key in look] == days


def test_an_asset_that_is_added_later_counts_from_then_on(location: Location) -> None:
    location.write("sensors: {after: {type: asset_update, assets: load, job: python_job}}\n")
    location.look("after")
    update(location, ELSEWHERE)
    added = f"type: asset_update, assets: [load, {ELSEWHERE}], job: python_job"
    location.write(f"sensors: {{after: {{{added}}}}}\n")

    assert keys(location) == []
    update(location, ELSEWHERE)
    assert keys(location) == [None]
    assert set(json.loads(str(location.cursors["after"]))["after"]) == {"load", ELSEWHERE}


def test_assets_of_other_locations_are_told_to_dp_check(location: Location) -> None:
    location.write(
        f"sensors: {{after: {{type: asset_update, assets: {ELSEWHERE}, job: python_job}}}}\n"
    )
    reads = location.definitions.metadata["dp/reads"].value

    assert reads == [{"key": ELSEWHERE, "file": "shop/automation.yaml", "line": 1, "column": 39}]

"""The sensor `run_status`: runs after the end of other jobs' runs."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from tests.factories.automation.conftest import Location

OTHER = "jobs: {load_all: {selection: load}}\n"


def end_run(
    location: Location, job: str, *, fails: bool = False, at: str | None = None, tags: object = None
) -> str:
    """End a run of a job, of another code location where one is named."""

    @dg.op
    def work() -> None:
        if fails:
            raise ValueError("broken")

    @dg.job(name=job)
    def made() -> None:
        work()

    if at is None:
        done = made.execute_in_process(
            instance=location.instance, raise_on_error=False, tags=tags or {}
        )
        return done.run_id
    target = LoadableTargetOrigin(module_name="elsewhere")
    origin = RemoteRepositoryOrigin(InProcessCodeLocationOrigin(target, location_name=at), "r")
    run = location.instance.create_run_for_job(
        made, remote_job_origin=origin.get_job_origin(job), job_code_origin=None
    )
    location.instance.report_run_failed(run) if fails else location.instance.handle_new_event(
        dg.EventLogEntry(
            error_info=None,
            level="info",
            user_message="",
            run_id=run.run_id,
            timestamp=0.0,
            job_name=job,
            dagster_event=dg.DagsterEvent(
                dg.DagsterEventType.RUN_SUCCESS.value, job_name=job, message=""
            ),
        )
    )
    return run.run_id


def causes(location: Location, name: str = "after") -> Iterable[str]:
    return [request.tags["dp/cause"] for request in location.look(name).run_requests]


def test_each_run_that_ended_so_is_followed_once(location: Location) -> None:
    location.write(
        """
        jobs: {load_all: {selection: load}}
        sensors:
          after: {type: run_status, jobs: load_all, job: python_job, tags: {of: "{run_id}"}}
          failed: {type: run_status, jobs: load_all, status: failure, job: python_job}
        """
    )
    end_run(location, "load_all")
    assert [causes(location), causes(location, "failed")] == [[], []]
    runs = [end_run(location, "load_all") for _ in range(2)]
    failed = end_run(location, "load_all", fails=True)
    end_run(location, "other")
    data = location.look("after")

    assert [request.tags["of"] for request in data.run_requests] == runs
    assert [request.run_key for request in data.run_requests] == runs
    assert causes(location, "failed") == [f"run {failed} of shop/load_all ended with failure"]
    assert [causes(location), causes(location, "failed")] == [[], []]
    assert location.run("python_job", data.run_requests[0]).success


def test_jobs_of_another_code_location_are_named_with_it(location: Location) -> None:
    location.write(
        "sensors: {after: {type: run_status, jobs: [ingestion/load_all], job: python_job}}\n"
    )
    location.look("after")
    end_run(location, "load_all")
    end_run(location, "load_all", at="elsewhere")
    run = end_run(location, "load_all", at="ingestion")

    assert causes(location) == [f"run {run} of ingestion/load_all ended with success"]


def test_the_partition_of_the_run_is_that_of_the_next(location: Location) -> None:
    location.write(
        OTHER + "sensors: {after: {type: run_status, jobs: load_all, selection: daily,"
        " partition: '{partition}'}}\n"
    )
    location.look("after")
    end_run(location, "load_all", tags={"dagster/partition": "2024-01-05"})
    (request,) = location.look("after").run_requests

    assert request.partition_key == "2024-01-05"
    assert location.run("after", request).success


def test_a_run_without_the_partition_that_the_next_needs_holds_up_no_other(
    location: Location,
) -> None:
    location.write(
        OTHER + "sensors: {after: {type: run_status, jobs: load_all, selection: daily,"
        " partition: '{partition}'}}\n"
    )
    location.look("after")
    without = end_run(location, "load_all")
    told = location.look("after").skip_message
    end_run(location, "load_all")
    end_run(location, "load_all", tags={"dagster/partition": "2024-01-05"})

    assert told == (f"the run {without} of load_all is left out: the job after has no partition ''")
    assert [request.partition_key for request in location.look("after").run_requests] == [
        "2024-01-05"
    ]


def test_a_look_is_bounded_and_the_next_goes_on(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("factories.automation.sensors.run_status.RUNS_PER_TICK", 2)
    location.write(
        OTHER + "sensors: {after: {type: run_status, jobs: load_all, job: python_job}}\n"
    )
    location.look("after")
    runs = [end_run(location, "load_all") for _ in range(3)]
    looks = [[r.run_key for r in location.look("after").run_requests] for _ in range(3)]

    assert looks == [runs[:2], runs[2:], []]

"""The sensor `files`: each new or changed file once, whole, wherever it lies."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import boto3
import dagster as dg
import fsspec
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._grpc.impl import get_external_sensor_execution
from moto.server import ThreadedMotoServer

from factories.automation.sensors.listing import _found, list_files, matches
from factories.core.dagster_internals import TickError
from tests.factories.automation.conftest import Location

SENSOR = """
sensors:
  incoming:
    type: files
    path: {path}
    selection: load
    tags: {{file: "{{name}}"}}
    run_config: {{ops: {{load: {{config: {{path: "{{path}}", number: "{{size}}"}}}}}}}}
    {more}
"""
SECRET = "wJalrXUtnFEMI"
OPTIONS = (
    'storage_options: {endpoint_url: "${LANDING_URL}", key: "${LANDING_SECRET}",'
    ' secret: "${LANDING_SECRET}"}'
)


@pytest.fixture
def folder(location: Location) -> Path:
    made = location.project.root / "in"
    made.mkdir()
    return made


@pytest.fixture
def persistent() -> Iterator[dg.DagsterInstance]:
    """An instance on files: Dagster looks up dynamic partitions in no other."""
    with dg.DagsterInstance.local_temp() as instance:
        yield instance


def write_sensor(location: Location, path: str = "in/**/*.csv", more: str = "") -> None:
    location.write(SENSOR.format(path=path, more=more))


def requested(location: Location, name: str = "incoming") -> list[str]:
    """What a look takes, by the causes of its runs."""
    return [request.tags["dp/cause"] for request in location.look(name).run_requests]


def test_a_new_file_is_taken_when_it_is_whole_and_its_path_reaches_the_asset(
    location: Location, folder: Path
) -> None:
    write_sensor(location)
    half = folder / "deep/er/a.csv"
    half.parent.mkdir(parents=True)
    half.write_text("1")
    (folder / "b.txt").write_text("1")

    assert requested(location) == []
    half.write_text("1,2")  # its writer goes on
    assert requested(location) == []
    (request,) = location.look("incoming").run_requests
    result = location.run("incoming", request)

    (loaded,) = result.asset_materializations_for_node("load")
    assert loaded.metadata["path"].value == str(half)
    assert loaded.metadata["number"].value == 3
    assert request.tags["file"] == "a.csv"
    assert request.tags["dp/cause"] == f"file {half}"
    assert request.tags["dp/location"] == "shop"
    assert request.tags["dagster/sensor_name"] == "incoming"


def test_each_file_is_taken_once_until_it_changes(location: Location, folder: Path) -> None:
    write_sensor(location)
    file = folder / "a.csv"
    file.write_text("1")
    location.look("incoming")
    (first,) = location.look("incoming").run_requests

    assert requested(location) == []
    assert requested(location) == []
    file.write_text("2")
    assert requested(location) == []
    (second,) = location.look("incoming").run_requests
    assert first.run_key != second.run_key
    file.unlink()
    assert requested(location) == []
    kept = json.loads(str(location.cursors["incoming"]))
    assert (kept["taken"], kept["seen"]) == ("", "")


def test_a_tick_that_is_lost_asks_for_the_same_runs_again(location: Location, folder: Path) -> None:
    write_sensor(location)
    for name in "ab":
        (folder / f"{name}.csv").write_text("1")
    location.look("incoming")
    before = location.cursors["incoming"]
    keys = [request.run_key for request in location.look("incoming").run_requests]
    location.cursors["incoming"] = before  # as after a daemon that was killed

    assert [request.run_key for request in location.look("incoming").run_requests] == keys


def test_many_files_come_in_bounded_ticks_and_each_once(location: Location, folder: Path) -> None:
    write_sensor(location, more="files_per_tick: 4")
    for number in range(10):
        (folder / f"{number}.csv").write_text("1")
    location.look("incoming")
    ticks = [requested(location) for _ in range(4)]

    assert [len(tick) for tick in ticks] == [4, 4, 2, 0]
    assert len(json.loads(str(location.cursors["incoming"]))["taken"]) == 10 * 8
    assert {cause for tick in ticks for cause in tick} == {
        f"file {folder}/{n}.csv" for n in range(10)
    }


def test_what_a_job_of_yaml_is_given_stays_as_it_is_written(
    location: Location, folder: Path
) -> None:
    location.write(
        """
        jobs:
          load_file:
            selection: load
            run_config: {ops: {load: {config: {path: "{path} of {nothing}", number: 1}}}}
        sensors:
          incoming:
            type: files
            path: "shop/../in/*.csv"
            job: load_file
            run_config: {ops: {load: {config: {payload: {as: "{{path}}", file: "{path}"}}}}}
            tags: {static: "yes", file: "{stem}"}
        """
    )
    (folder / "a.csv").write_text("1")
    location.look("incoming")
    (request,) = location.look("incoming").run_requests
    sensor = location.definitions.get_repository_def().get_sensor_def("incoming")

    assert request.run_config["ops"]["load"]["config"] == {
        "path": "{path} of {nothing}",
        "number": 1,
        "payload": {"as": "{path}", "file": str(folder / "a.csv")},
    }
    assert request.tags["file"] == "a"
    assert sensor.tags == {"static": "yes"}


def test_files_that_were_there_before_may_be_left(location: Location, folder: Path) -> None:
    write_sensor(location, more="take_existing: false")
    (folder / "old.csv").write_text("1")
    assert [requested(location), requested(location)] == [[], []]
    (folder / "new.csv").write_text("1")
    assert [requested(location), requested(location)] == [[], [f"file {folder}/new.csv"]]


def test_another_path_leaves_what_was_there_and_takes_what_waits(
    location: Location, folder: Path
) -> None:
    write_sensor(location, "in/*.csv", more="take_existing: false")
    (folder / "deep").mkdir()
    for name in ("old.csv", "old.txt", "deep/old.csv"):
        (folder / name).write_text("1")
    location.look("incoming")
    (folder / "new.csv").write_text("1")
    write_sensor(location, "in/**/*", more="take_existing: false")

    assert requested(location) == []
    assert requested(location) == [f"file {folder}/new.csv"]
    (folder / "deep/new.csv").write_text("1")
    assert [requested(location), requested(location)] == [[], [f"file {folder}/deep/new.csv"]]


def test_markers_that_are_asked_for_later_take_no_file_twice(
    location: Location, folder: Path
) -> None:
    write_sensor(location, "in/*.csv")
    for name in "abc":
        (folder / f"{name}.csv").write_text("1")
    location.look("incoming")
    assert len(requested(location)) == 3
    for name in "ab":
        (folder / f"{name}.csv.done").touch()
    (folder / "b.csv").write_text("changed")
    write_sensor(location, "in/*.csv", more="ready_suffix: .done")

    assert requested(location) == [f"file {folder}/b.csv"]
    assert requested(location) == []
    write_sensor(location, "in/*.csv")
    again = [requested(location), requested(location)]
    assert again == [[], [f"file {folder}/c.csv"]]  # no marker had said that it was whole


def test_one_run_may_get_several_files(location: Location, folder: Path) -> None:
    location.write(
        """
        sensors:
          incoming:
            type: files
            path: in/*.csv
            files_per_run: 2
            selection: load
            run_config: {ops: {load: {config: {paths: "{paths}"}}}}
        """
    )
    for name in "abc":
        (folder / f"{name}.csv").write_text("1")
    location.look("incoming")
    runs = location.look("incoming").run_requests

    assert [run.run_config["ops"]["load"]["config"]["paths"] for run in runs] == [
        [str(folder / "a.csv"), str(folder / "b.csv")],
        [str(folder / "c.csv")],
    ]
    assert runs[0].tags["dp/cause"] == f"file {folder}/a.csv and 1 more"


def test_a_marker_says_that_a_file_is_whole(location: Location, folder: Path) -> None:
    write_sensor(location, path="in/*", more="ready_suffix: .done")
    (folder / "a.csv").write_text("1")
    assert [requested(location), requested(location)] == [[], []]
    (folder / "a.csv.done").touch()

    assert requested(location) == [f"file {folder}/a.csv"]
    (folder / "a.csv").write_text("2,")  # its writer has not said yet that it is whole
    assert [requested(location), requested(location)] == [[], []]
    (folder / "a.csv.done").write_text("again")
    assert requested(location) == [f"file {folder}/a.csv"]


@pytest.mark.programs
def test_a_file_becomes_a_dynamic_partition(
    location: Location, folder: Path, persistent: dg.DagsterInstance
) -> None:
    location.instance = persistent
    location.write(
        "sensors: {incoming: {type: files, path: 'in/*.csv', job: by_file, partition: '{stem}'}}\n"
        "jobs: {by_file: {selection: by_file}}\n"
    )
    (folder / "a.csv").write_text("1")
    location.look("incoming")
    (request,) = location.look("incoming").run_requests

    assert request.partition_key == "a"
    assert location.instance.get_dynamic_partitions("files") == ["a"]
    assert location.run("by_file", request).success


def test_a_file_of_no_partition_is_told_and_does_not_hold_up_the_others(
    location: Location, folder: Path
) -> None:
    location.write(
        "sensors: {incoming: {type: files, path: 'in/*.csv', selection: fixed,"
        " partition: '{stem}'}}\n"
    )
    (folder / "ewr.csv").write_text("1")
    (folder / "dca.csv").write_text("1")
    location.look("incoming")

    assert [r.partition_key for r in location.look("incoming").run_requests] == ["ewr"]
    with pytest.raises(TickError, match=r"dca.csv: the job incoming has no partition 'dca'$"):
        location.look("incoming")


def test_a_file_whose_name_is_no_text_does_not_hold_up_the_others(
    location: Location, folder: Path
) -> None:
    write_sensor(location)
    (folder / os.fsdecode(b"caf\xe9.csv")).write_text("1")
    (folder / "café.csv").write_text("1")
    location.look("incoming")

    assert requested(location) == [f"file {folder}/café.csv"]
    with pytest.raises(TickError, match=r"caf\\udce9.csv': the name is not UTF-8 text$"):
        location.look("incoming")


def test_a_folder_that_is_gone_fails_the_tick_and_loses_nothing(
    location: Location, folder: Path
) -> None:
    write_sensor(location, path="in/*.csv")
    (folder / "a.csv").write_text("1")
    location.look("incoming")
    folder.rename(folder.with_name("away"))
    with pytest.raises(TickError, match=f"and tries again: the folder {folder} does not exist$"):
        location.look("incoming")
    folder.with_name("away").rename(folder)

    assert requested(location) == [f"file {folder}/a.csv"]


def test_a_tick_that_fails_is_one_sentence_to_dagster(location: Location) -> None:
    write_sensor(location, path="nowhere/*.csv")
    target = LoadableTargetOrigin(module_name="shop.definitions")
    snap = get_external_sensor_execution(
        location.definitions.get_repository_def(),
        InProcessCodeLocationOrigin(target, location_name="shop"),
        None,
        "incoming",
        *[None] * 5,
    )
    shown = snap.error.to_string()

    assert "the folder" in shown
    assert "Traceback" not in shown
    assert len(shown.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("/in/*.csv", {"/in/a.csv"}),
        ("/in/**/*.csv", {"/in/a.csv", "/in/b/c.csv", "/in/b/d/e.csv"}),
        ("/in/**", {"/in/a.csv", "/in/b/c.csv", "/in/b/d/e.csv", "/in/f.txt"}),
        ("/in/?/*.csv", {"/in/b/c.csv"}),
        ("/in/a.csv", {"/in/a.csv"}),
    ],
)
def test_a_pattern_names_the_same_files_whether_they_are_listed_or_known(
    pattern: str, named: set[str], tmp_path: Path
) -> None:
    paths = ["/in/a.csv", "/in/b/c.csv", "/in/b/d/e.csv", "/in/f.txt"]
    for path in paths:
        (tmp_path / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path[1:]).touch()
    listed = list_files(fsspec.filesystem("file"), f"{tmp_path}{pattern}")

    assert {file.path.removeprefix(str(tmp_path)) for file in listed} == named
    assert {path for path in paths if matches(pattern, path)} == named


def test_a_look_that_takes_too_long_is_one_sentence_before_dagster_gives_up(
    location: Location, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(
        ("127.0.0.1", 0)
    ) as silent:  # it takes connections, and never answers
        monkeypatch.setenv("LANDING_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setattr("factories.automation.sensors.tick.LOOK_SECONDS", 0.3)
        write_sensor(location, path="s3://landing/*.csv", more=OPTIONS)
        with pytest.raises(
            TickError, match=r"of s3://landing/\*.csv has not answered within 0.3 s$"
        ):
            location.look("incoming")


def test_an_object_of_google_is_the_same_until_it_is_written_anew() -> None:
    def version(**details: object) -> str:
        made = {"name": "in/a.csv", "type": "file", "size": 1, "generation": "17", **details}
        return _found(made).version

    assert version(etag="a", updated="1") == version(etag="b", updated="2", storageClass="NEARLINE")
    assert version() != version(generation="18")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an S3 with a bucket `landing`."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "LANDING_SECRET": SECRET,
    }.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    monkeypatch.setenv("LANDING_URL", address)
    client(address).create_bucket(Bucket="landing")
    yield address
    server.stop()


def client(address: str) -> object:
    return boto3.client("s3", endpoint_url=address)


def test_objects_of_s3_are_taken_once_each_version(location: Location, s3: str) -> None:
    write_sensor(location, path="s3://landing/in/*/part-?.csv", more=OPTIONS)
    bucket = boto3.resource("s3", endpoint_url=s3).Bucket("landing")
    assert requested(location) == []  # nothing of that name yet
    bucket.put_object(Key="in/2024/part-1.csv", Body=b"1")
    bucket.put_object(Key="in/2024/part-10.csv", Body=b"1")
    bucket.put_object(Key="in/part-1.csv", Body=b"1")
    assert requested(location) == []
    (request,) = location.look("incoming").run_requests
    assert requested(location) == []
    bucket.put_object(Key="in/2024/part-1.csv", Body=b"2")
    again = [requested(location), requested(location)]

    assert request.run_config["ops"]["load"]["config"]["path"] == "s3://landing/in/2024/part-1.csv"
    assert again == [[], ["file s3://landing/in/2024/part-1.csv"]]
    bucket.objects.delete()
    bucket.delete()
    with pytest.raises(TickError, match=r"the bucket landing does not exist$"):
        location.look("incoming")


def test_an_s3_that_cannot_be_reached_is_one_sentence_without_secrets(
    location: Location, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDING_URL", f"http://127.0.0.1:1/{SECRET}")
    nested = OPTIONS.replace("key: ", "client_kwargs: {aws_session_token: ", 1)
    nested = nested.replace('"${LANDING_SECRET}"', '"${LANDING_SECRET}"}', 1)
    nested = nested.replace('secret: "${LANDING_SECRET}"', "anon: false")
    write_sensor(location, path="s3://landing/*.csv", more=nested)
    with pytest.raises(TickError) as error:
        location.look("incoming")

    assert "127.0.0.1:1/***" in str(error.value)
    assert SECRET not in str(error.value)
    assert "\n" not in str(error.value)

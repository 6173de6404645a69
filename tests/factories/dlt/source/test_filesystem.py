"""Files of a folder and of a server that speaks S3's protocol, in each format."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pyarrow as pa
import pytest
from moto.server import ThreadedMotoServer
from pyarrow import parquet

from tests.factories.dlt.conftest import Project, materialized

pytestmark = pytest.mark.clients

SECRET = "wJalrXUtnFEMI"


@pytest.fixture
def files(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, whose path is `${FILES}`."""
    folder = project.root / "files"
    folder.mkdir()
    monkeypatch.setenv("FILES", str(folder))
    return folder


def write_file(path: Path, text: str, *, day: int = 1) -> Path:
    """Write a file that was last changed on a day of January 2024."""
    path.write_text(text)
    os.utime(path, (1704067200 + (day - 1) * 86400,) * 2)
    return path


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an S3 that a test may fill."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def write_pipeline_text(
    loaded: str, *resources: dict[str, object], url: str = "${FILES}", **arguments: object
) -> str:
    """A pipeline of files."""
    given = {"bucket_url": url, "resources": resources, **arguments}
    return f"source: {{filesystem: {json.dumps(given)}}}\nresources: {loaded}\n"


def test_csv(project: Project, files: Path) -> None:
    write_file(files / "a.csv", "id,name,price\n1,Zoë,1.5\n2,,\n")
    (files / "b.csv.gz").write_bytes(gzip.compress(b"id,name,price\n3,Bob,2.5\n"))
    write_file(files / "c.txt", "no CSV")
    entry = {"name": "sold", "file_glob": "*.csv*", "reader": "read_csv"}
    project.pipeline(write_pipeline_text("{sold: {}}", entry))

    result = project.run()

    assert result.success, project.failure()
    assert project.rows("select id, name, price from {d}.sold order by id") == [
        (1, "Zoë", 1.5),
        (2, None, None),
        (3, "Bob", 2.5),
    ]
    assert "NaN" not in project.messages()  # what pandas reads empty cells as


def test_csv_as_its_reader_has_to_read_it(project: Project, files: Path) -> None:
    (files / "a.csv").write_bytes("id;zip\n1;00501 Zoë\n".encode("latin-1"))
    entry = {
        "name": "sold", "file_glob": "*.csv", "reader": "read_csv",
        "sep": ";", "dtype": {"id": "str"}, "encoding": "latin-1",
    }  # fmt: skip
    project.pipeline(write_pipeline_text("{sold: {}}", entry))

    project.run()

    assert project.rows("select id, zip from {d}.sold") == [("1", "00501 Zoë")]


def test_json_lines_with_nested_data(project: Project, files: Path) -> None:
    rows = [{"id": 1, "items": [{"sku": "a"}, {"sku": "b"}]}, {"id": 2, "items": []}]
    (files / "2024").mkdir()
    write_file(files / "2024" / "a.jsonl", "\n".join(map(json.dumps, rows)) + "\n")
    entry = {"name": "sold", "file_glob": "**/*.jsonl", "reader": "read_jsonl"}
    project.pipeline(write_pipeline_text("{sold: {}}", entry))

    found = materialized(project.run())["sold"]

    assert found["rows_loaded"] == 2
    assert project.rows("select sku from {d}.sold__items order by 1") == [("a",), ("b",)]


@pytest.mark.parametrize("as_arrow", [True, False])
def test_parquet(project: Project, files: Path, as_arrow: bool) -> None:
    rows = [{"id": 1, "at": "2024-01-01T00:00:00Z"}, {"id": 2, "at": None}]
    table = pa.Table.from_pylist(rows).set_column(
        1, "at", pa.array([0, None], pa.timestamp("us", "UTC"))
    )
    parquet.write_table(table, files / "a.parquet")
    entry = {
        "name": "sold", "file_glob": "*.parquet", "reader": "read_parquet", "use_pyarrow": as_arrow
    }  # fmt: skip
    project.pipeline(write_pipeline_text("{sold: {}}", entry))

    project.run()

    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    assert project.rows("select id, at from {d}.sold order by id") == [(1, epoch), (2, None)]


def test_files_of_an_s3_server(project: Project, s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("s3", endpoint_url=s3)
    client.create_bucket(Bucket="landing")
    client.put_object(Bucket="landing", Key="shop/a.csv", Body=b"id\n1\n")
    entry = {"name": "sold", "file_glob": "shop/*.csv", "reader": "read_csv"}
    cursor = "{sold: {incremental: {cursor_path: modification_date}}}"
    credentials = {
        "aws_access_key_id": "${LANDING_KEY_ID}",
        "aws_secret_access_key": "${LANDING_SECRET}",
        "endpoint_url": "${LANDING_URL}",
        "region_name": "us-east-1",
    }
    project.pipeline(
        write_pipeline_text(cursor, entry, url="s3://landing", credentials=credentials)
    )
    monkeypatch.setenv("LANDING_KEY_ID", "AKIAIOSFODNN7")
    monkeypatch.setenv("LANDING_SECRET", SECRET)
    monkeypatch.setenv("LANDING_URL", s3)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)

    first = project.run()
    client.put_object(Bucket="landing", Key="shop/b.csv", Body=b"id\n2\n")
    second = project.run()
    client.put_object(Bucket="landing", Key="shop/c.csv", Body=b"id\n\xff\xfe\n")
    broken = project.run()

    assert first.success, project.failure()
    assert materialized(first)["sold"]["rows_loaded"] == 1
    assert materialized(second)["sold"]["rows_loaded"] == 1
    assert project.rows("select id from {d}.sold order by id") == [(1,), (2,)]
    assert not broken.success
    assert "s3://landing/shop/c.csv: UnicodeDecodeError" in project.failure()
    assert SECRET not in project.log()


def test_only_new_files_are_read_each_resource_by_its_own_cursor(
    project: Project, files: Path
) -> None:
    write_file(files / "a1.csv", "id\n1\n", day=10)
    write_file(files / "b1.csv", "id\n1\n", day=20)
    entries = [{"name": n, "file_glob": f"{n}*.csv", "reader": "read_csv"} for n in "ab"]
    head = "defaults: {incremental: {cursor_path: modification_date}}\n"
    project.pipeline(head + write_pipeline_text("{a: {}, b: {}}", *entries))
    project.run()
    write_file(files / "a2.csv", "id\n2\n", day=10)  # as old as the newest that was read
    write_file(files / "a3.csv", "id\n3\n", day=15)
    write_file(files / "a4.csv", "id\n4\n", day=5)  # older

    again = materialized(project.run())

    assert again["a"]["rows_loaded"] == 2
    assert again["b"]["rows_loaded"] == 0
    assert project.rows("select id from {d}.a order by id") == [(1,), (2,), (3,)]

    refreshed = materialized(project.full_refresh("dlt__shop"))

    assert (refreshed["a"]["rows_loaded"], refreshed["b"]["rows_loaded"]) == (4, 1)


def test_only_new_rows_are_loaded_by_a_column(project: Project, files: Path) -> None:
    write_file(files / "a.jsonl", '{"id": 1, "at": "2024-01-02"}\n{"id": 2, "at": "2024-01-01"}\n')
    entry = {"name": "sold", "file_glob": "*.jsonl", "reader": "read_jsonl"}
    project.pipeline(write_pipeline_text("{sold: {incremental: {cursor_path: at}}}", entry))
    project.run()
    write_file(files / "b.jsonl", '{"id": 3, "at": "2024-01-03"}\n{"id": 4, "at": "2023-12-31"}\n')

    again = materialized(project.run())["sold"]

    assert again["rows_loaded"] == 1
    assert project.rows("select id from {d}.sold order by id") == [(1,), (2,), (3,)]


def test_a_glob_that_no_file_matches_is_warned_of(project: Project, files: Path) -> None:
    entry = {"name": "sold", "file_glob": "*.cvs", "reader": "read_csv"}
    project.pipeline(write_pipeline_text("{sold: {}}", entry))

    result = project.run()

    assert result.success
    assert materialized(result)["sold"]["rows_loaded"] == 0
    assert f"sold: no file matches *.cvs in {files}" in project.messages()


@pytest.mark.parametrize(
    ("name", "reader", "content", "reported"),
    [
        ("b.csv", "read_csv", b"id,x\n1,2\n1,2,3,4\n", "ParserError: Error tokenizing data"),
        ("b.csv.gz", "read_csv", b"id\n1\n", "BadGzipFile: Not a gzipped file"),
        ("b.jsonl", "read_jsonl", b'{"id": 1}\n{"id": \n', "JSONDecodeError"),
        ("b.parquet", "read_parquet", b"PAR1", "ArrowInvalid"),
    ],
)  # fmt: skip
def test_a_broken_file_is_named_and_spares_the_other_resources(  # noqa: PLR0917 - fixtures
    project: Project, files: Path, name: str, reader: str, content: bytes, reported: str
) -> None:
    write_file(files / "whole.csv", "id\n1\n")
    (files / name).write_bytes(content)
    project.pipeline(
        write_pipeline_text(
            "{good: {}, bad: {}}",
            {"name": "good", "file_glob": "whole.csv", "reader": "read_csv"},
            {"name": "bad", "file_glob": "b.*", "reader": reader},
        )
    )

    result = project.run()

    assert set(materialized(result)) == {"good"}
    assert f"file://{files}/{name}: {reported}" in project.failure()

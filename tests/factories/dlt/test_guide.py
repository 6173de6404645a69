"""What the guide shows is what happens: each of its files runs, against real systems."""

from __future__ import annotations

import importlib.util
import re
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import boto3
import dagster as dg
import pytest
from moto.server import ThreadedMotoServer

from factories.core.warehouse.names import warehouse_names
from factories.definitions import read_project
from factories.location_defaults import default_resources
from tests.factories.conftest import Source
from tests.factories.dlt.conftest import Project, materialized

pytestmark = pytest.mark.clients

GUIDE = (Path(__file__).parents[3] / "docs/guides/dlt.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(yaml|python)\n(.*?)```", GUIDE, re.DOTALL)
FILES = {
    match.group(1): text
    for _, text in BLOCKS
    if (match := re.match(r"# dlt_pipelines/(\S+)\n", text))
}
FRAGMENTS = [text for kind, text in BLOCKS if kind == "yaml" and not text.startswith("# dlt_")]


def write_examples(project: Project, *names: str) -> None:
    """Write files of the guide into the project, with the test's own dataset."""
    for name in names:
        text = re.sub(r"(?m)^dataset: \w+", f"dataset: {project.dataset}", FILES[name])
        (project.root / "dlt_pipelines" / name).write_text(text)


def test_an_api(project: Project, weather_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEATHER_API_URL", weather_url)
    write_examples(project, "weather.yaml", "patient.yaml")

    first, second = project.run(), project.run()

    assert first.success
    assert materialized(first)["observations"]["rows_loaded"] == 30 * 24
    assert materialized(second)["observations"]["rows_loaded"] == 0
    assert materialized(first)["stations"]["dagster/row_count"] == 3


def test_a_partitioned_api(
    project: Project, weather_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEATHER_API_URL", weather_url)
    write_examples(project, "weather_by_day.yaml")

    result = project.run(partition_key="2013-07-05")

    assert materialized(result)["observations"]["rows_loaded"] == 72


@pytest.fixture
def sales(source: Source, monkeypatch: pytest.MonkeyPatch) -> Source:
    """The database of the guide's shop; its schema is called as the test's."""
    monkeypatch.setitem(FILES, "shop.yaml", _in(source, FILES["shop.yaml"]))
    monkeypatch.setitem(FILES, "orders_by_day.yaml", _in(source, FILES["orders_by_day.yaml"]))
    source.execute(
        "create table {s}.t_cust (id int primary key, name text, notes text)",
        "insert into {s}.t_cust values (1, 'Ada', 'x')",
        "create table {s}.orders (id int primary key, updated_at timestamptz, tags jsonb)",
        "insert into {s}.orders values (1, '2024-01-02 04:59:59Z', '[\"a\"]'),"
        " (2, '2024-01-02 05:00Z', '[\"b\"]')",
    )
    return source


def _in(source: Source, text: str) -> str:
    return text.replace("schema: sales", f"schema: {source.schema}")


@pytest.mark.usefixtures("sales")
def test_a_database(project: Project) -> None:
    write_examples(project, "shop.yaml")

    first, second = project.run(), project.run()

    assert first.success
    columns = materialized(first)["customers"]["dagster/column_schema"].columns
    assert [column.name for column in columns] == ["ID", "NAME", "_DLT_LOAD_ID"]
    assert materialized(second)["orders"]["rows_loaded"] == 0
    assert project.rows("select parse_json(tags)[0]::text from {d}.orders order by id") == [
        ("a",),
        ("b",),
    ]


@pytest.mark.usefixtures("sales")
def test_a_partitioned_table(project: Project) -> None:
    write_examples(project, "orders_by_day.yaml")

    project.run(partition_key="2024-01-02")

    assert project.rows("select id from {d}.orders") == [(2,)]


def test_files(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("LANDING_KEY_ID", "AKIAIOSFODNN7")
        monkeypatch.setenv("LANDING_SECRET", "wJalrXUtnFEMI")
        monkeypatch.setenv("LANDING_URL", f"http://{host}:{port}")
        bucket = boto3.resource(
            "s3",
            endpoint_url=f"http://{host}:{port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        ).create_bucket(Bucket="landing")
        bucket.put_object(Key="sales/a.csv", Body=b"id;zip\n1;00501\n")
        bucket.put_object(Key="visits/2024/a.jsonl", Body=b'{"id": 1, "at": "2024-01-01"}\n')
        bucket.upload_file(_parquet(project.root / "prices.parquet"), "prices.parquet")
        write_examples(project, "landing.yaml")

        result = project.run()
    finally:
        server.stop()

    assert result.success, project.failure()
    assert project.rows("select id, zip from {d}.sales") == [(1, "00501")]
    assert {name: found["rows_loaded"] for name, found in materialized(result).items()} == {
        "sales": 1,
        "visits": 1,
        "prices": 1,
    }


def _parquet(path: Path) -> str:
    import pyarrow as pa  # noqa: PLC0415 - this test's alone
    from pyarrow import parquet  # noqa: PLC0415 - as above

    parquet.write_table(pa.table({"item": ["a"], "price": [1.5]}), path)
    return str(path)


def test_python(project: Project) -> None:
    write_examples(project, "rates.py", "rates.yaml")

    first, second = project.run(), project.run()

    assert first.success, project.failure()
    assert materialized(first)["daily"]["rows_loaded"] == 3
    assert materialized(second)["daily"]["rows_loaded"] == 0


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda text: text.split(":")[0])
def test_resources(project: Project, fragment: str) -> None:
    names = re.findall(r"(?m)^(\w+):", fragment)
    resources = textwrap.indent(fragment, "  ")
    project.pipeline(f'source: {{python: "shop:shop"}}\nresources:\n{resources}')
    project.module(f"""
        import dlt

        @dlt.source
        def shop():
            for name in {names!r}:
                yield dlt.resource([{{"id": 1, "updated": 1, "deleted": False}}], name=name)
    """)

    first, second = project.run(), project.run()

    assert first.success, project.failure()
    assert second.success, project.failure()


def import_example(project: Project, name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import a Python file of the guide that is not a source of a pipeline."""
    (text,) = (text for _, text in BLOCKS if text.startswith(f"# {name}\n"))
    path = project.root / Path(name).name
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(f"guide_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_own_dlt_assets(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assets = import_example(project, "defs/fares.py", monkeypatch).fare_assets

    result = dg.materialize(
        [assets], instance=project.instance, resources=default_resources(warehouse_names())
    )

    found = materialized(result)
    assert found["dlt_fares_prices"]["dagster/row_count"] == 2
    assert found["dlt_fares_classes"]["dagster/table_name"] == "RAW.FARES.CLASSES"


def test_own_translator(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.module("def orders():\n    yield {'id': 1}\n")
    project.pipeline('source: {python: "shop:orders"}\nresources: {orders: {}}')
    translator = import_example(project, "translator.py", monkeypatch).CompanyTranslator()

    _, assets = read_project(dlt="dlt_pipelines", dlt_translator=translator)

    assert [asset.key.to_user_string() for asset in assets] == ["company/shop/raw/orders"]


def test_every_file_of_the_guide_is_run_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")

    assert FILES
    assert [name for name in FILES if f'"{name}"' not in text] == []

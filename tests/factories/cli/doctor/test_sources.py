"""What `dp doctor` says of sources: Sling's connections, and the addresses of dlt pipelines."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from factories.cli.doctor.addresses import Address, find_addresses, through_proxy
from factories.cli.doctor.findings import Finding
from factories.cli.doctor.sources import find_sources, look_at_sources
from tests.factories.conftest import YamlProject

PASSWORD = "s3cret-of-shop"
CONNECTIONS = """
connections:
  shop: {type: postgres, url: "${SHOP_URL}"}
  closed: "postgres://reader:${SHOP_PASSWORD}@127.0.0.1:${CLOSED_PORT}/shop"
  unset: "${NOBODY_SETS_THIS}"
  flight_ops: "${FLIGHT_OPS_URL}"
"""
PIPELINE = """
pipeline: {name}
dataset: {name}
source: {source}
resources: {{items: }}
"""


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        yield taken.getsockname()[1]


@pytest.fixture
def open_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def look(root: Path, *files: str) -> dict[str, Finding]:
    return {each.what: each for each in look_at_sources(find_sources(root, files))}


def test_sling_tries_each_connection(
    yaml_project: YamlProject,
    postgres: str,
    closed_port: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_URL", postgres)
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    monkeypatch.setenv("CLOSED_PORT", str(closed_port))
    monkeypatch.setenv("DP_LOCAL_DIR", str(tmp_path / "local"))
    monkeypatch.delenv("FLIGHT_OPS_URL", raising=False)
    yaml_project.write("sling/connections.yaml", CONNECTIONS)

    found = look(yaml_project.root, "sling/shop.yaml", "dbt_project/models/orders.yml")

    assert {what: each.state for what, each in found.items()} == {
        "shop of sling": "ok",
        "closed of sling": "problem",
        "unset of sling": "problem",
        "flight_ops of sling": "note",
    }
    assert "connection refused" in found["closed of sling"].said
    assert "CLOSED_PORT" in found["closed of sling"].fix
    assert found["unset of sling"].said == "NOBODY_SETS_THIS is not set"
    assert found["flight_ops of sling"].said == "the sample system does not run"
    assert PASSWORD not in str(found)
    assert not (tmp_path / "local").exists()


def test_each_address_of_a_pipeline_is_tried(
    yaml_project: YamlProject, closed_port: int, open_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_URL", f"http://user:{PASSWORD}@127.0.0.1:{open_port}/v1")
    monkeypatch.setenv("API_TOKEN", PASSWORD)
    sources = {
        "good": '{rest_api: {client: {base_url: "${API_URL}", auth: {token: "${API_TOKEN}"}}}}',
        "bad": f'{{rest_api: {{client: {{base_url: "http://127.0.0.1:{closed_port}"}}}}}}',
        "nowhere": '{sql_database: {credentials: "postgresql://a:${API_TOKEN}@no.invalid/shop"}}',
        "files": '{filesystem: {bucket_url: "file:///no/such/folder"}}',
        "code": '{python: "module:source"}',
    }
    for name, source in sources.items():
        text = PIPELINE.format(name=name, source=source)
        yaml_project.write(f"dlt_pipelines/{name}.yaml", text)

    found = look(yaml_project.root, *(f"dlt_pipelines/{name}.yaml" for name in sources))

    assert {what: (each.state, each.said) for what, each in found.items()} == {
        "dlt_pipelines/good.yaml": ("ok", f"127.0.0.1:{open_port} answers"),
        "dlt_pipelines/bad.yaml": ("problem", f"127.0.0.1:{closed_port}: Connection refused"),
        "dlt_pipelines/nowhere.yaml": ("problem", "there is no host no.invalid"),
        "dlt_pipelines/files.yaml": ("problem", "/no/such/folder does not exist"),
        "dlt_pipelines/code.yaml": ("note", "names no address that could be tried"),
    }
    assert found["dlt_pipelines/nowhere.yaml"].fix.startswith(
        "correct API_TOKEN in the environment"
    )
    assert PASSWORD not in str(found)


@pytest.mark.parametrize(
    ("config", "address"),
    [
        ("https://api.example.com/v1", "api.example.com:443"),
        ("postgresql+psycopg2://a:b@db.example.com/shop", "db.example.com:5432"),
        ({"drivername": "mssql+pyodbc", "host": "db"}, "db:1433"),
        ({"args": {"url": "http://[::1]:8080/"}}, "::1:8080"),
        ([{"host": "db", "port": "15432"}], "db:15432"),
        ("file:///var/in%20box", "/var/in box"),
    ],
)
def test_addresses_are_found_wherever_they_stand(config: object, address: str) -> None:
    assert [str(each) for each in find_addresses(config)] == [address]


@pytest.mark.parametrize(
    "config",
    ["s3://bucket/path", "ops.flights", {"host": "db"}, "http://host:port", "postgres:///x"],
)
def test_what_names_no_server_is_passed_over(config: object) -> None:
    assert [*find_addresses(config)] == []


def test_http_goes_to_the_proxy_unless_it_is_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example.com:3128")
    monkeypatch.setenv("no_proxy", "inside.example.com")

    api, inside = Address("api.example.com", 443), Address("inside.example.com", 443)
    database = Address("db.example.com", 5432)

    assert through_proxy(api) == Address("proxy.example.com", 3128)
    assert (through_proxy(inside), through_proxy(database)) == (inside, database)

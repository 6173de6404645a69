"""Where production's manifest lies, for dbt to compare with and to defer to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.ci import dbt_state
from deploy.ci.command import CommandError
from deploy.ci.dbt_state import fetch_state, make_manifest, publish_state
from local_snowflake.identity import HOST
from tests.conftest import WarehouseUnderTest

MANIFEST = {"metadata": {"dbt_schema_version": "v12"}, "nodes": {}}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    file = tmp_path / "made" / "manifest.json"
    file.parent.mkdir()
    file.write_text(json.dumps(MANIFEST))
    return file


@pytest.fixture(params=["folder", "address", "memory"])
def reached_by_fsspec(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    addresses = {
        "folder": str(tmp_path / "state" / "dbt"),
        "address": f"file://{tmp_path}/state/dbt/",
        "memory": f"memory://{tmp_path.name}/dbt",
    }
    return addresses[request.param]


@pytest.fixture
def stage(warehouse: WarehouseUnderTest, database: str) -> str:
    warehouse.rows(f"create stage {database}.PUBLIC.STATE")
    return f"@{database}.public.state/dbt/v1"


def round_trip(address: str, manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetch, publish, fetch, publish another, fetch."""
    monkeypatch.setenv("DP_DBT_STATE", address)
    folder = manifest.parent / "fetched"

    with pytest.raises(CommandError, match="there is no manifest of production in") as raised:
        fetch_state(folder)
    assert "the workflow `main` publishes it" in str(raised.value)
    assert address in str(raised.value)

    for nodes in ({}, {"model.orders": {}}):
        manifest.write_text(json.dumps({**MANIFEST, "nodes": nodes}))
        publish_state(manifest)
        assert json.loads(fetch_state(folder).read_text())["nodes"] == nodes


def test_what_is_published_is_fetched_from_a_folder(
    reached_by_fsspec: str, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_trip(reached_by_fsspec, manifest, monkeypatch)


def test_what_is_published_is_fetched_from_a_stage(
    stage: str, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_trip(stage, manifest, monkeypatch)


def test_what_an_earlier_fetch_left_is_not_taken_for_the_state(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DP_DBT_STATE", str(tmp_path / "state"))

    with pytest.raises(CommandError, match="there is no manifest of production"):
        fetch_state(manifest.parent)
    assert not manifest.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"metadata": null}'])
def test_what_is_no_manifest_is_neither_published_nor_fetched(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setenv("DP_DBT_STATE", str(tmp_path / "state"))
    manifest.write_text(content)

    with pytest.raises(CommandError, match="holds no manifest of dbt"):
        publish_state(manifest)
    assert not (tmp_path / "state").exists()

    manifest.rename(tmp_path / "manifest.json")
    monkeypatch.setenv("DP_DBT_STATE", str(tmp_path))
    with pytest.raises(CommandError, match="holds no manifest of dbt"):
        fetch_state(tmp_path / "fetched")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", "DP_DBT_STATE is not set: it says where production's manifest lies"),
        ("@RAW.STATE/dbt", "but a stage is written @DATABASE.SCHEMA.STAGE/folder"),
        ("@RAW.CI.STATE/../x y", "but a stage is written @DATABASE.SCHEMA.STAGE/folder"),
        ("nothing://bucket/dbt", "Protocol not known: nothing"),
        ("sftp://ana:canary@host/dbt", "DP_DBT_STATE must not hold a password"),
    ],
)
def test_address_that_cannot_be_used_is_refused(
    warehouse: WarehouseUnderTest,
    manifest: Path,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    message: str,
) -> None:
    monkeypatch.setenv("DP_DBT_STATE", address)

    for use in (lambda: publish_state(manifest), lambda: fetch_state(manifest.parent)):
        with pytest.raises(CommandError) as raised:
            use()
        assert message in str(raised.value)
        assert "canary" not in str(raised.value)


def test_stage_that_is_not_there_is_named(
    warehouse: WarehouseUnderTest, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DP_DBT_STATE", "@RAW.PUBLIC.ABSENT/dbt")

    with pytest.raises(CommandError, match=r"refused `put .*ABSENT") as raised:
        publish_state(manifest)
    assert HOST not in str(raised.value)


@pytest.mark.parametrize("name", ["local", "pr_12", "dev"])
def test_only_the_manifest_of_production_is_published(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv("DP_TARGET", name)

    with pytest.raises(CommandError, match="only the manifest of prod is published"):
        make_manifest(tmp_path)


def test_project_that_dbt_cannot_parse_is_not_published(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DP_TARGET", "prod")

    with pytest.raises(CommandError, match=f"{tmp_path.name}: "):
        make_manifest(tmp_path)


def test_command_fetches_into_a_folder(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DP_DBT_STATE", str(manifest.parent))

    dbt_state.main(["fetch", str(tmp_path / "fetched")])

    assert (tmp_path / "fetched" / "manifest.json").read_bytes() == manifest.read_bytes()

"""Where dlt finds its settings in a step, and what its sessions in the warehouse are like."""

from __future__ import annotations

from pathlib import Path

import dlt
import pytest
from dlt.common.configuration.providers import environ
from dlt.common.configuration.resolve import inject_section
from dlt.common.configuration.specs.config_section_context import ConfigSectionContext

from factories.core.warehouse.names import RAW
from factories.core.warehouse.settings import warehouse_settings
from factories.dlt.load import settings
from factories.dlt.load.destination import Snowflake
from factories.dlt.load.settings import dlt_settings
from tests.conftest import WarehouseUnderTest


@pytest.mark.parametrize("place", ["environment", "file"])
def test_secret_is_found_where_it_is_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """As dlt documents it: also in a file, as Docker and Kubernetes give secrets."""
    if place == "file":
        for module in (environ, settings):
            monkeypatch.setattr(module, "SECRET_STORAGE_PATH", f"{tmp_path}/%s")
        (tmp_path / "sources--shop--token").write_text("t0ken\n")
    else:
        monkeypatch.setenv("SOURCES__SHOP__TOKEN", "t0ken\n")
    found: list[str] = []

    with dlt_settings({}, tmp_path, found.append):
        token = dlt.secrets.get("sources.shop.token")

    assert token == "t0ken\n"
    assert found == [token]


def test_setting_of_one_pipelines_destination_is_for_that_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP__DESTINATION__SNOWFLAKE__USE_NESTED_TYPES", "true")
    destination = Snowflake(credentials={"host": "acme", "username": "u", "password": "p"})

    with dlt_settings({}, tmp_path, [].append):
        nested = {}
        for name in ("shop", "web", "shop"):
            with inject_section(ConfigSectionContext(pipeline_name=name)):
                nested[name] = destination.capabilities().supports_nested_types

    assert nested == {"shop": True, "web": False}


def test_session_is_tagged_from_its_login_on(warehouse: WarehouseUnderTest, tmp_path: Path) -> None:
    assert warehouse
    destination = Snowflake(credentials=warehouse_settings().dlt_credentials(RAW))
    pipeline = dlt.pipeline(
        "tagged", pipelines_dir=str(tmp_path), destination=destination, dataset_name="tagged"
    )

    with pipeline.sql_client() as client:
        reported = client.execute_sql("show parameters like 'query_tag' in session")

    assert [row[:2] for row in reported or ()] == [("QUERY_TAG", "data-platform")]

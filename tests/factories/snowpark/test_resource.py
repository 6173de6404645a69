"""The Snowpark session that a team's own asset asks for."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkClientException

from factories.core.errors import StepStartError
from factories.core.warehouse.names import WarehouseNames
from factories.snowpark.resource import create_snowpark_resource
from tests.conftest import WarehouseUnderTest
from tests.factories.snowpark.conftest import open_sessions


@pytest.fixture(autouse=True)
def ml(warehouse: WarehouseUnderTest) -> None:
    warehouse.rows("create database if not exists ML")


@dg.resource
def snowpark() -> Iterator[Session]:
    with create_snowpark_resource(WarehouseNames("local")) as session:
        yield session


@pytest.mark.clients
def test_an_asset_gets_an_open_session_which_is_closed_after_its_step() -> None:
    given: list[Session] = []

    @dg.asset
    def numbers(snowpark: dg.ResourceParam[Session]) -> dg.MaterializeResult[None]:
        given.append(snowpark)
        rows = snowpark.sql("select 3 as n").collect()[0]["N"]
        return dg.MaterializeResult(metadata={"rows": rows, "sessions": open_sessions()})

    before = open_sessions()
    result = dg.materialize([numbers], resources={"snowpark": snowpark})

    (event,) = result.get_asset_materialization_events()
    metadata = {key: value.value for key, value in event.materialization.metadata.items()}
    assert metadata == {"rows": 3, "sessions": before + 1}
    assert open_sessions() == before
    with pytest.raises(SnowparkClientException):
        given[0].sql("select 1").collect()


def test_a_session_is_closed_when_the_asset_fails() -> None:
    before = open_sessions()

    def fail() -> None:
        with create_snowpark_resource(WarehouseNames("local")) as session:
            assert session.get_current_database() == '"ML"'
            raise ValueError("of the asset")

    with pytest.raises(ValueError, match="of the asset"):
        fail()
    assert open_sessions() == before


def test_settings_that_are_missing_are_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DP_TARGET", "prod")
    monkeypatch.delenv("SNOWFLAKE_ACCOUNT", raising=False)

    with (
        pytest.raises(StepStartError, match=r"the target 'prod' needs .* SNOWFLAKE_ACCOUNT"),
        create_snowpark_resource(WarehouseNames("prod")),
    ):
        pass

"""The Snowpark session that a team's own asset asks for."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import dagster as dg
import pytest
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkClientException

from factories.core.errors import StepStartError
from factories.core.warehouse.names import WarehouseNames
from factories.definitions import build_definitions
from factories.snowpark.resource import create_snowpark_resource
from tests.conftest import WarehouseUnderTest
from tests.factories.conftest import YamlProject
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


def test_missing_settings_are_reported_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DP_TARGET", "prod")
    monkeypatch.delenv("SNOWFLAKE_ACCOUNT", raising=False)

    with (
        pytest.raises(StepStartError, match=r"the target 'prod' needs .* SNOWFLAKE_ACCOUNT"),
        create_snowpark_resource(WarehouseNames("prod")),
    ):
        pass


@pytest.mark.clients
@pytest.mark.parametrize("module", ["factories", "snowflake.snowpark"])
def test_an_own_asset_gets_the_default_session(yaml_project: YamlProject, module: str) -> None:
    name = {"factories": "SnowparkSession", "snowflake.snowpark": "Session"}[module]
    annotation = name if module == "factories" else f"dg.ResourceParam[{name}]"
    write_asset(
        yaml_project,
        f"""
        from {module} import {name}

        @dg.asset
        def numbers(snowpark: {annotation}) -> dg.MaterializeResult:
            tag = snowpark.sql("show parameters like 'QUERY_TAG' in session").collect()[0]["value"]
            frame = snowpark.create_dataframe([[1], [2], [4]], schema=["n"])
            return dg.MaterializeResult(metadata={{
                "rows": frame.filter(frame["n"] > 1).count(),
                "database": snowpark.get_current_database(),
                "tag": tag,
            }})
        """,
    )

    result = run_own_assets()

    (event,) = result.get_asset_materialization_events()
    metadata = {key: value.value for key, value in event.materialization.metadata.items()}
    assert metadata == {"rows": 2, "database": '"ML"', "tag": "data-platform"}


@pytest.mark.clients
@pytest.mark.parametrize(
    ("resource", "statement"),
    [
        ("snowpark: SnowparkSession", "snowpark.sql('select * from NO_SUCH_TABLE').collect()"),
        ("snowpark: SnowparkSession", "raise ValueError"),
        ("snowflake: SnowflakeResource", "connection.cursor().execute('select * from NO_TABLE')"),
        ("snowflake: SnowflakeResource", "raise ValueError"),
    ],
    ids=["snowpark refused", "snowpark", "snowflake refused", "snowflake"],
)
def test_session_of_a_failed_step_is_closed(
    yaml_project: YamlProject, resource: str, statement: str
) -> None:
    inside = "snowflake.get_connection()" if resource.startswith("snowflake") else "nullcontext()"
    write_asset(
        yaml_project,
        f"""
        from contextlib import nullcontext
        from factories import SnowflakeResource, SnowparkSession
        from tests.factories.snowpark.conftest import open_sessions

        @dg.asset
        def broken(context: dg.AssetExecutionContext, {resource}) -> None:
            with {inside} as connection:
                context.log.info(f"sessions: {{open_sessions()}}")
                {statement}
        """,
    )
    before = open_sessions()

    with dg.DagsterInstance.ephemeral() as instance:
        result = run_own_assets(instance, raise_on_error=False)
        messages = [event.user_message for event in instance.all_logs(result.run_id)]

    assert not result.success
    assert f"sessions: {before + 1}" in messages
    assert open_sessions() == before


def write_asset(project: YamlProject, text: str) -> None:
    project.write("defs/own.py", "import dagster as dg\n" + textwrap.dedent(text))


def run_own_assets(
    instance: dg.DagsterInstance | None = None, *, raise_on_error: bool = True
) -> dg.ExecuteInProcessResult:
    """Run the project's own assets as a code location has them, with the default resources."""
    job = build_definitions(defs="defs").resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, raise_on_error=raise_on_error)

"""Sessions of the warehouse that a step of dlt opens, keeps and ends."""

from __future__ import annotations

from typing import Any

import pytest
import snowflake.connector

from factories.core.warehouse.settings import warehouse_settings
from factories.dlt.load import destination
from factories.dlt.load.destination import KeptSessions, Snowflake
from local_snowflake.process import control
from tests.conftest import WarehouseUnderTest
from tests.factories.dlt.conftest import Project

pytestmark = pytest.mark.clients


def open_sessions() -> int | None:
    return control.status().sessions


def test_step_logs_in_once_for_what_it_does_one_after_the_other(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.pipeline("""
        source: {python: "shop:shop"}
        resources: {orders: {write_disposition: replace}, lines: {write_disposition: replace}}
    """)
    project.module("""
        import dlt

        @dlt.source
        def shop():
            for name in ("orders", "lines"):
                yield dlt.resource([{"number": 1}], name=name)
    """)
    schemas = []
    connect = snowflake.connector.connect

    def count(**arguments: Any) -> snowflake.connector.SnowflakeConnection:
        schemas.append(arguments.get("schema"))
        return connect(**arguments)

    project.rows("select 1")  # the connection of the test itself
    before = open_sessions()
    monkeypatch.setattr(snowflake.connector, "connect", count)

    assert project.run().success

    assert project.count("orders") == project.count("lines") == 1
    of_dlt = [schema for schema in schemas if schema]
    # As many at once as the package has files, a table and the state, and one for staging.
    assert 1 <= len(of_dlt) <= 3
    assert open_sessions() == before


def test_session_is_kept_for_its_own_schema_and_not_for_long(
    warehouse: WarehouseUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptSessions()
    session = warehouse.connect()
    kept.give("shop", session)

    assert kept.take("other") is None
    assert kept.take("shop") is session
    assert kept.take("shop") is None

    kept.give("shop", session)
    monkeypatch.setattr(destination, "IDLE_SECONDS", 0.0)
    assert kept.take("shop") is None
    assert session.is_closed()


def test_session_in_which_something_failed_is_ended(project: Project) -> None:
    settings = warehouse_settings()
    kept = KeptSessions()
    made = Snowflake(credentials=settings.dlt_credentials("RAW"))
    made.sessions = kept
    pipeline = destination.dlt.pipeline(
        "kept", pipelines_dir=str(project.root), destination=made, dataset_name=project.dataset
    )

    used = []

    def fail() -> None:
        with pipeline.sql_client() as client:
            used.append(client.native_connection)
            raise ValueError("by the user")

    with pytest.raises(ValueError, match="by the user"):
        fail()
    for _ in range(2):
        with pipeline.sql_client() as client:
            used.append(client.native_connection)
    failed, session, again = used

    assert failed.is_closed()
    assert again is session
    assert not session.is_closed()
    kept.close()
    assert session.is_closed()

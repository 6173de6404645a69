"""The session of a step: what it asks of Snowflake, and how it ends."""

from __future__ import annotations

import pytest

from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import warehouse_settings
from factories.snowpark.session import snowpark_session
from tests.conftest import WarehouseUnderTest

pytestmark = pytest.mark.clients


@pytest.fixture(autouse=True)
def ml(warehouse: WarehouseUnderTest) -> None:
    warehouse.rows("create database if not exists ML")


def test_what_a_killed_step_leaves_behind_holds_up_nobody_for_hours() -> None:
    with snowpark_session(warehouse_settings(), WarehouseNames("local"), "a run") as session:
        reported = {row[0]: row[1] for row in session.sql("show parameters").collect()}
        assert session.connection.client_session_keep_alive
    assert reported["ABORT_DETACHED_QUERY"].lower() == "true"
    assert reported["LOCK_TIMEOUT"] == "3600"
    assert reported["QUERY_TAG"] == "a run"


def test_a_session_that_cannot_be_closed_hides_no_error() -> None:
    def fails() -> None:
        with snowpark_session(warehouse_settings(), WarehouseNames("local"), "a run") as session:
            session.connection.rest.delete_session()  # as when it is lost
            raise ValueError("the cause")

    with pytest.raises(ValueError, match="the cause"):
        fails()


def test_a_step_does_not_fail_for_a_session_that_cannot_be_closed() -> None:
    with snowpark_session(warehouse_settings(), WarehouseNames("local"), "a run") as session:
        session.connection.rest.delete_session()

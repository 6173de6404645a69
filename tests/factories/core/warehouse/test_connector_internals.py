"""Names of snowflake-connector-python that are not public, and what is built on them."""

from __future__ import annotations

import atexit

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.connection import DEFAULT_CONFIGURATION

from factories.core.warehouse.connector_internals import abandon_connection, set_default_timeouts


def test_connection_has_what_closes_it_at_the_end_of_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forgotten: list[object] = []
    monkeypatch.setattr(atexit, "unregister", forgotten.append)
    connection = SnowflakeConnection.__new__(SnowflakeConnection)

    abandon_connection(connection)

    assert forgotten == [connection._close_at_exit]


@pytest.mark.parametrize("name", ["login_timeout", "network_timeout", "socket_timeout"])
def test_timeouts_are_defaults_of_new_connections(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(DEFAULT_CONFIGURATION, name, DEFAULT_CONFIGURATION[name])
    kinds = DEFAULT_CONFIGURATION[name][1]
    assert DEFAULT_CONFIGURATION[name][0] is None

    set_default_timeouts({name: 7})

    assert DEFAULT_CONFIGURATION[name] == (7, kinds)

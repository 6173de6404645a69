"""Names of snowflake-connector-python that are not public, and what is built on them."""

from __future__ import annotations

import atexit

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.connection import DEFAULT_CONFIGURATION
from snowflake.connector.errors import OperationalError
from snowflake.connector.network import SnowflakeRestful

from factories.core.warehouse.connector_internals import (
    abandon_connection,
    refuse_requests,
    set_default_timeouts,
)


def test_connection_has_what_closes_it_at_the_end_of_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forgotten: list[object] = []
    monkeypatch.setattr(atexit, "unregister", forgotten.append)
    connection = SnowflakeConnection.__new__(SnowflakeConnection)

    abandon_connection(connection)

    assert forgotten == [connection._close_at_exit]


def test_requests_to_a_server_that_is_gone_are_refused_and_no_others() -> None:
    assert callable(SnowflakeRestful._request_exec)  # what repeats a request calls it
    gone, other = (SnowflakeRestful("127.0.0.1", port, "http") for port in (1, 2))

    refuse_requests("http://127.0.0.1:1/", "the warehouse is gone")

    with pytest.raises(OperationalError, match="the warehouse is gone"):
        gone._request_exec(session=None)
    assert "_request_exec" not in vars(other)


@pytest.mark.parametrize("name", ["login_timeout", "network_timeout", "socket_timeout"])
def test_timeouts_are_defaults_of_new_connections(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(DEFAULT_CONFIGURATION, name, DEFAULT_CONFIGURATION[name])
    kinds = DEFAULT_CONFIGURATION[name][1]
    assert DEFAULT_CONFIGURATION[name][0] is None

    set_default_timeouts({name: 7})

    assert DEFAULT_CONFIGURATION[name] == (7, kinds)

"""The resource `snowflake` and the other clients, as they log in to a real Snowflake."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from snowflake.connector import SnowflakeConnection

from factories.core.execution.table_reader import TableReader
from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.resource import create_snowflake_resource
from factories.core.warehouse.settings import warehouse_settings
from factories.snowpark.session import snowpark_session

PASSPHRASE = "opensesame"
NAMES = WarehouseNames("prod")


class LoginReachedError(Exception):
    """Stops a client where the connector would send the login to Snowflake."""


@dataclass
class Logins:
    """What the connector would send.

    Attributes:
        connections: With every setting, by the connector's own names.
        private_keys: Of each, unencrypted; None without a key.
    """

    connections: list[SnowflakeConnection]
    private_keys: list[bytes | None]


@pytest.fixture
def logins(monkeypatch: pytest.MonkeyPatch) -> Logins:
    """Logins that are stopped before anything is sent."""
    seen = Logins([], [])

    def stop(connection: SnowflakeConnection, auth_instance: Any) -> None:
        seen.connections.append(connection)
        seen.private_keys.append(getattr(auth_instance, "_private_key", None))
        raise LoginReachedError

    monkeypatch.setattr(SnowflakeConnection, "_authenticate", stop)
    return seen


@pytest.fixture
def prod(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of a target in Snowflake, without a way to log in."""
    monkeypatch.setenv("DP_TARGET", "prod")
    monkeypatch.setenv("SNOWFLAKE_ACCOUNT", "acme-eu")
    monkeypatch.setenv("SNOWFLAKE_USER", "INGESTION")
    monkeypatch.setenv("SNOWFLAKE_ROLE", "INGESTION_ROLE")
    monkeypatch.setenv("SNOWFLAKE_WAREHOUSE", "INGESTION_WH")
    for name in ("AUTHENTICATOR", "PRIVATE_KEY_PATH", "PRIVATE_KEY_PASSPHRASE"):
        monkeypatch.delenv(f"SNOWFLAKE_{name}", raising=False)
    return monkeypatch


@pytest.fixture
def private_key(prod: pytest.MonkeyPatch, tmp_path: Path) -> bytes:
    """A key in an encrypted file, which the environment names; it is in the form of the login."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = tmp_path / "rsa_key.p8"
    path.write_bytes(
        key.private_bytes(*pem, serialization.BestAvailableEncryption(PASSPHRASE.encode()))
    )
    prod.setenv("SNOWFLAKE_PRIVATE_KEY_PATH", str(path))
    prod.setenv("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", PASSPHRASE)
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def log_in_resource() -> None:
    with create_snowflake_resource(NAMES).get_connection():
        pass


def log_in_reader() -> None:
    with closing(TableReader(warehouse_settings(), NAMES)) as reader:
        reader.query("select 1")


def log_in_snowpark() -> None:
    with snowpark_session(warehouse_settings(), NAMES, "data-platform"):
        pass


def log_in_dlt() -> None:
    destination = dlt.destinations.snowflake(
        credentials=warehouse_settings().dlt_credentials(NAMES.database("RAW"))
    )
    with dlt.pipeline("p", destination=destination, dataset_name="d").sql_client():
        pass


CLIENTS = [log_in_reader, log_in_snowpark, log_in_dlt]


def settings_of(connection: SnowflakeConnection) -> dict[str, Any]:
    """What all clients must agree on."""
    return {
        "account": connection.account,
        "user": connection.user,
        "role": connection.role,
        "warehouse": connection.warehouse,
        "authenticator": connection._authenticator,
        "tag": connection._session_parameters["QUERY_TAG"],
        "packages": connection._log_imported_packages_in_telemetry,
        "login_timeout": connection.login_timeout,
        "network_timeout": connection.network_timeout,
        "socket_timeout": connection.socket_timeout,
    }


def test_key_pair_logs_in_to_the_databases_of_the_target(
    logins: Logins, private_key: bytes
) -> None:
    with pytest.raises(LoginReachedError):
        log_in_resource()

    (connection,) = logins.connections
    assert logins.private_keys == [private_key]
    assert settings_of(connection) == {
        "account": "acme-eu",
        "user": "INGESTION",
        "role": "INGESTION_ROLE",
        "warehouse": "INGESTION_WH",
        "authenticator": "SNOWFLAKE_JWT",
        "tag": "data-platform",
        "packages": False,
        "login_timeout": 30,
        "network_timeout": None,
        "socket_timeout": 60,
    }
    assert connection.database == "RAW"
    assert connection.application == "DagsterLabs_Dagster"


@pytest.mark.parametrize("log_in", CLIENTS)
def test_every_client_logs_in_as_the_resource_does(
    logins: Logins, private_key: bytes, log_in: Callable[[], None]
) -> None:
    for each in (log_in_resource, log_in):
        with pytest.raises(LoginReachedError):
            each()

    of_resource, of_client = map(settings_of, logins.connections)
    assert of_client == of_resource
    assert logins.private_keys == [private_key, private_key]


@pytest.mark.parametrize("log_in", [log_in_resource, *CLIENTS])
def test_person_logs_in_by_browser(
    logins: Logins, prod: pytest.MonkeyPatch, log_in: Callable[[], None]
) -> None:
    prod.setenv("SNOWFLAKE_AUTHENTICATOR", "externalbrowser")

    with pytest.raises(LoginReachedError):
        log_in()

    (connection,) = logins.connections
    assert settings_of(connection)["authenticator"] == "EXTERNALBROWSER"
    assert logins.private_keys == [None]


def test_passphrase_is_not_in_what_the_resource_shows(private_key: bytes) -> None:
    assert private_key

    shown = repr(create_snowflake_resource(NAMES))

    assert PASSPHRASE not in shown
    assert "rsa_key.p8" in shown

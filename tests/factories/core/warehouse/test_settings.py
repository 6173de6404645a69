"""One set of Snowflake settings for a target, and what each tool is given of it."""

from __future__ import annotations

from urllib.parse import SplitResult, parse_qs, urlsplit

import pytest

from factories.core.warehouse.names import Relation, WarehouseNames, warehouse_names
from factories.core.warehouse.settings import (
    WarehouseSettings,
    WarehouseSettingsError,
    warehouse_settings,
)

REAL = {
    "DP_TARGET": "prod",
    "SNOWFLAKE_ACCOUNT": "acme-eu",
    "SNOWFLAKE_USER": "INGESTION",
    "SNOWFLAKE_PRIVATE_KEY_PATH": "/keys/rsa.p8",
    "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": "opensesame",
    "SNOWFLAKE_ROLE": "INGESTION_ROLE",
    "SNOWFLAKE_WAREHOUSE": "INGESTION_WH",
}


@pytest.mark.parametrize(
    ("environ", "database", "schema"),
    [
        ({}, "RAW", "flight_ops"),
        ({"DP_TARGET": ""}, "RAW", "flight_ops"),
        ({"DP_TARGET": "local"}, "RAW", "flight_ops"),
        ({"DP_TARGET": "prod"}, "RAW", "flight_ops"),
        ({"DP_TARGET": "dev", "DP_SCHEMA_SUFFIX": "ana.b"}, "RAW", "flight_ops__ANA_B"),
        ({"DP_TARGET": "feature/ABC-1"}, "RAW__FEATURE_ABC_1", "flight_ops"),
        ({"DP_TARGET": "branch", "DP_DATABASE_SUFFIX": "pr_7"}, "RAW__PR_7", "flight_ops"),
        # Plain names never carry a suffix that happens to be set.
        (
            {"DP_TARGET": "prod", "DP_SCHEMA_SUFFIX": "ana", "DP_DATABASE_SUFFIX": "x"},
            "RAW",
            "flight_ops",
        ),
    ],
)
def test_names_per_target(environ: dict[str, str], database: str, schema: str) -> None:
    names = warehouse_names(environ)
    assert (names.database("raw"), names.schema("flight_ops")) == (database, schema)


def test_in_dev_a_person_is_set_apart_by_the_login_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ana")
    assert warehouse_names({"DP_TARGET": "dev"}) == WarehouseNames("dev", schema_suffix="__ANA")


def test_key_pair_settings_for_the_connector() -> None:
    assert warehouse_settings(REAL).connector_arguments() == {
        "account": "acme-eu",
        "user": "INGESTION",
        "private_key_file": "/keys/rsa.p8",
        "private_key_file_pwd": "opensesame",
        "role": "INGESTION_ROLE",
        "warehouse": "INGESTION_WH",
        "login_timeout": 30,
        "socket_timeout": 60,
        "log_imported_packages_in_telemetry": False,
    }


def sling_url(settings: WarehouseSettings) -> SplitResult:
    """The URL that Sling gets."""
    connection = settings.sling_connection("RAW")
    return urlsplit(connection if isinstance(connection, str) else connection["url"])


def test_key_pair_settings_for_sling() -> None:
    settings = warehouse_settings(REAL)
    connection = settings.sling_connection("RAW")
    assert isinstance(connection, dict)
    url = sling_url(settings)
    assert (url.scheme, url.netloc, url.path) == (
        "snowflake",
        "INGESTION:@acme-eu.snowflakecomputing.com:443",
        "/RAW",
    )
    assert parse_qs(url.query) == {
        "warehouse": ["INGESTION_WH"],
        "role": ["INGESTION_ROLE"],
        "authenticator": ["SNOWFLAKE_JWT"],
        "loginTimeout": ["30"],
        "requestTimeout": ["60"],
        "clientTimeout": ["60"],
    }
    assert {name: value for name, value in connection.items() if name != "url"} == {
        "type": "snowflake",
        "database": "RAW",
        "role": "INGESTION_ROLE",
        "warehouse": "INGESTION_WH",
        "authenticator": "SNOWFLAKE_JWT",
        "private_key_path": "/keys/rsa.p8",
        "private_key_passphrase": "opensesame",
    }


TIMEOUTS = {
    "SNOWFLAKE_LOGIN_TIMEOUT": "7",
    "SNOWFLAKE_NETWORK_TIMEOUT": "90",
    "SNOWFLAKE_STATEMENT_TIMEOUT": "900",
}


def test_timeouts_reach_every_client() -> None:
    settings = warehouse_settings({**REAL, **TIMEOUTS})
    python = {"login_timeout": 7, "socket_timeout": 90, "network_timeout": 900}
    assert python.items() <= settings.connector_arguments().items()
    dlt = settings.dlt_credentials("RAW")["query"]
    assert python.items() <= dlt.items()
    assert dlt["session_parameters"] == settings.session_parameters()
    assert settings.session_parameters("tag") == {
        "QUERY_TAG": "tag",
        "STATEMENT_TIMEOUT_IN_SECONDS": 900,
    }
    sling = parse_qs(sling_url(settings).query)
    assert {name: sling[name] for name in sling if "imeout" in name or "TIMEOUT" in name} == {
        "loginTimeout": ["7"],
        "requestTimeout": ["90"],
        "clientTimeout": ["90"],
        "STATEMENT_TIMEOUT_IN_SECONDS": ["900"],
    }


@pytest.mark.parametrize("name", sorted(TIMEOUTS))
@pytest.mark.parametrize("text", ["0", "-1", "1.5", "soon", "1 min", "49"])
def test_timeout_that_cannot_be_used_is_refused(name: str, text: str) -> None:
    environ = {**REAL, name: text}
    if text == "49" and name != "SNOWFLAKE_NETWORK_TIMEOUT":
        warehouse_settings(environ)
        return
    with pytest.raises(WarehouseSettingsError) as error:
        warehouse_settings(environ)
    least = 50 if name == "SNOWFLAKE_NETWORK_TIMEOUT" else 1
    assert str(error.value).startswith(
        f"{name} is {text!r}, but must be a whole number of seconds, at least {least}"
    )


def test_a_person_logs_in_by_browser() -> None:
    environ = {
        "DP_TARGET": "dev",
        "SNOWFLAKE_ACCOUNT": "acme-eu",
        "SNOWFLAKE_USER": "ana@example.com",
        "SNOWFLAKE_AUTHENTICATOR": "externalbrowser",
    }
    settings = warehouse_settings(environ)
    assert settings.connector_arguments()["authenticator"] == "externalbrowser"
    connection = settings.sling_connection("RAW")
    assert isinstance(connection, dict)
    assert connection["authenticator"] == "externalbrowser"
    assert parse_qs(sling_url(settings).query)["authenticator"] == ["externalbrowser"]
    assert sling_url(settings).netloc == "ana%40example.com:@acme-eu.snowflakecomputing.com:443"


def test_a_server_of_our_own_reaches_sling_as_a_url() -> None:
    settings = WarehouseSettings(
        account="fakesnow",
        user="dp",
        password="t/k@n",
        host="localhost",
        port=4242,
        protocol="http",
        warehouse="WH",
    )
    url = settings.sling_connection("RAW")
    assert isinstance(url, str)
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == ("snowflake", "dp:t%2Fk%40n@localhost:4242")
    assert parts.path == "/RAW"
    assert parse_qs(parts.query) == {
        "account": ["fakesnow"],
        "protocol": ["http"],
        "warehouse": ["WH"],
        "validateDefaultParameters": ["false"],
        "loginTimeout": ["30"],
        "requestTimeout": ["60"],
        "clientTimeout": ["60"],
    }


def test_secrets_never_show_in_repr() -> None:
    settings = WarehouseSettings("a", "u", password="pass1", private_key_passphrase="phrase1")
    assert "pass1" not in repr(settings)
    assert "phrase1" not in repr(settings)
    assert settings.secrets == ("pass1", "phrase1")


def test_every_missing_setting_is_named_at_once() -> None:
    with pytest.raises(WarehouseSettingsError) as error:
        warehouse_settings({"DP_TARGET": "prod"})
    assert str(error.value) == (
        "the target 'prod' needs these environment variables: SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER,"
        " SNOWFLAKE_PRIVATE_KEY_PATH (or SNOWFLAKE_AUTHENTICATOR)"
    )


def test_an_empty_setting_is_a_missing_one() -> None:
    with pytest.raises(WarehouseSettingsError, match=r"variables: SNOWFLAKE_USER$"):
        warehouse_settings({**REAL, "SNOWFLAKE_USER": ""})


def test_a_table_has_a_name_for_people_and_one_for_sql() -> None:
    relation = WarehouseNames("dev", schema_suffix="__ANA").relation("ml", "order", "group")
    assert relation == Relation("ML", "ORDER__ANA", "GROUP")
    assert str(relation) == "ML.ORDER__ANA.GROUP"
    assert relation.sql == '"ML"."ORDER__ANA"."GROUP"'
    assert Relation("A", "B", 'with "quotes"').sql == '"A"."B"."with ""quotes"""'

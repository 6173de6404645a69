"""A source's connection: resolved when a run starts, its secrets known."""

from __future__ import annotations

import json

import pytest

from factories.core.secret_mask import SecretMask
from factories.core.yaml.variables import UndefinedVariableError
from factories.sling.connections import Connection


def test_a_url_is_given_to_sling_as_it_is_and_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "s3cret")
    url, secrets = Connection("shop", "postgres", "postgres://u:${SHOP_PASSWORD}@h/d").resolve()
    assert url == "postgres://u:s3cret@h/d"
    assert SecretMask(secrets)(f"{url} and s3cret") == "*** and ***"


def test_properties_are_given_as_json_and_only_public_ones_may_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_HOST", "db.example.com")
    monkeypatch.setenv("SHOP_PASSWORD", "s3cret")
    monkeypatch.setenv("SHOP_CERTIFICATE", "PEM TEXT")
    properties = {
        "type": "postgres",
        "host": "${SHOP_HOST}",
        "port": 5432,
        "password": "${SHOP_PASSWORD}",
        "cert": "${SHOP_CERTIFICATE}",
        "access_token": "written here",
        "sslmode": "require",
    }
    text, secrets = Connection("shop", "postgres", properties).resolve()
    assert json.loads(text) == {
        **properties,
        "host": "db.example.com",
        "password": "s3cret",
        "cert": "PEM TEXT",
    }
    assert secrets == {"s3cret", "PEM TEXT", "written here"}
    assert properties["password"] == "${SHOP_PASSWORD}"


def test_a_connection_that_lacks_its_secret_does_not_connect_without_it() -> None:
    with pytest.raises(UndefinedVariableError, match="NOT_DEFINED_ANYWHERE"):
        Connection("shop", "postgres", {"password": "${NOT_DEFINED_ANYWHERE}"}).resolve()


def test_a_connection_shows_no_secret_in_its_own_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "s3cret")
    assert "s3cret" not in repr(Connection("shop", "postgres", {"password": "${SHOP_PASSWORD}"}))

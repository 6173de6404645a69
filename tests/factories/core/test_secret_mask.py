"""Secrets never show, however they are written."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from factories.core.secret_mask import SecretMask, environment_secrets

URL = "postgresql://reader:s3cr%40t@db.example.com/shop"


def test_a_url_goes_as_a_whole_and_its_password_alone() -> None:
    mask = SecretMask([URL])
    assert mask(f"connecting to {URL} failed") == "connecting to *** failed"
    assert mask("password s3cr%40t refused") == "password *** refused"
    assert mask("password s3cr@t refused") == "password *** refused"


@pytest.mark.parametrize(
    "write",
    [
        str,
        lambda secret: quote(secret, safe=""),
        quote_plus,
        lambda secret: json.dumps({"msg": f"login {secret} failed"}),
        lambda secret: json.dumps({"msg": f"login {secret} failed"}, ensure_ascii=False),
        # As Go's encoder writes it.
        lambda secret: json.dumps(secret).replace("&", r"\u0026").replace("<", r"\u003c"),
    ],
)
def test_a_secret_is_hidden_in_urls_and_in_json(write: object) -> None:
    assert callable(write)
    secret = 'p&s "w<\\ör d/+'
    text = SecretMask([secret])(write(secret))
    assert "***" in text
    assert "ör" not in text
    assert "p&s" not in text
    assert "%C3" not in text


def test_the_longest_secret_goes_first() -> None:
    assert SecretMask(["abc", "abcdef"])("abcdef abc") == "*** ***"


def test_the_empty_and_the_very_short_are_not_secrets() -> None:
    assert SecretMask(["", "a", "ab"])("a cab about") == "a cab about"


def test_what_looks_like_a_url_and_is_none_is_masked_as_it_is() -> None:
    assert SecretMask(["x://[broken:pw@host"])("see x://[broken:pw@host") == "see ***"


@given(st.text(min_size=3, max_size=12), st.text(max_size=20), st.text(max_size=20))
def test_no_secret_survives_in_plain_text(secret: str, before: str, after: str) -> None:
    hidden = SecretMask([secret])(before + secret + after)
    assert secret not in hidden.replace("***", "\0") or set(secret) <= {"*"}


# --- base64 and hex ---

PASSWORD = "p&ss/w0rd>>?~"


@pytest.mark.parametrize("user", ["a", "ab", "abc", "reader", ""])
def test_a_password_is_hidden_in_the_login_of_http(user: str) -> None:
    """As an error shows the headers of a request that really was prepared."""
    request = requests.Request("GET", "http://127.0.0.1/x", auth=(user, PASSWORD)).prepare()
    hidden = SecretMask([PASSWORD])(f"401 for {dict(request.headers)}")
    assert "Basic " in hidden
    login = hidden.partition("Basic ")[2].partition("'")[0]
    assert "***" in login
    assert len(login.replace("***", "")) <= len(user) * 4 / 3 + 7  # the user and the padding


def test_a_password_that_is_not_ascii_is_hidden_in_a_login() -> None:
    request = requests.Request("GET", "http://127.0.0.1/x", auth=("me", "pässwörd")).prepare()
    hidden = SecretMask(["pässwörd"])(request.headers["Authorization"])
    assert hidden.startswith("Basic bWU6")
    assert "***" in hidden


@given(st.binary(max_size=9), st.text(min_size=8, max_size=30), st.binary(max_size=9))
def test_no_secret_survives_inside_of_base64(before: bytes, secret: str, after: bytes) -> None:
    content = before + secret.encode() + after
    mask = SecretMask([secret])
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        hidden = mask(f"token={encode(content).decode()}&x=1")
        assert "***" in hidden
        # What is left is of the neighbours, with at most a character at each end.
        assert len(hidden) <= len("token=***&x=1") + 4 * (len(before) + len(after)) // 3 + 8


def test_a_secret_is_hidden_in_hex_and_in_lower_case_escapes() -> None:
    mask = SecretMask([PASSWORD])
    assert mask(PASSWORD.encode().hex()) == "***"
    assert mask(PASSWORD.encode().hex().upper()) == "***"
    assert mask("p%26ss%2fw0rd%3e%3e%3f~") == "***"


def test_a_short_secret_does_not_hide_other_words() -> None:
    # "user" in base64 is "dXNlcg", which is too short to be looked for.
    assert SecretMask(["user"])("dXNlcg and 75736572x") == "dXNlcg and ***x"


def test_variables_are_secret_by_their_name_or_by_the_password_in_them() -> None:
    secret = {
        "SHOP_PASSWORD": "first-secret",
        "api_key": "second-secret",
        "DBT_ENV_SECRET_GIT": "third-secret",
        "SHOP_URL": URL,
    }
    public = {
        "SNOWFLAKE_PRIVATE_KEY_PATH": "/keys/loader.p8",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token",
        "TOKENIZERS_PARALLELISM": "false",
        "API_URL": "https://api.example.com/@me",
        "HOME": "/home/ana",
    }
    assert {*environment_secrets({**secret, **public})} == {*secret.values()}

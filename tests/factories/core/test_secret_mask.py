"""Secrets never show, however they are written."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories.core.secret_mask import SecretMask

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

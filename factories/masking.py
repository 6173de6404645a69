"""Keeping secrets out of logs and error text."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

MASK = "***"
SHORTEST_SECRET = 3


class SecretMask:
    """Replaces secrets by `***` in text, also as they look inside a URL."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Take the secrets; of a URL also the password that it holds."""
        found: set[str] = set()
        for secret in secrets:
            found.update((secret, quote(secret, safe=""), unquote(secret)))
            if "://" in secret and (password := _password(secret)):
                found.update((password, unquote(password)))
        # The longest first: a URL goes as a whole, before the password in it.
        kept = (text for text in found if len(text) >= SHORTEST_SECRET)
        self._secrets = sorted(kept, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return text without the secrets."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        return text


def _password(url: str) -> str | None:
    try:
        return urlsplit(url).password
    except ValueError:
        return None

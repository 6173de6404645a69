"""Keeping secrets out of logs and error text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK = "***"
SHORTEST_SECRET = 3


class SecretMask:
    """Replaces secrets by `***` in text, also as they look inside a URL or JSON."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Take the secrets; of a URL also the password that it holds."""
        found: set[str] = set()
        for secret in secrets:
            found.update(_forms(secret))
            if "://" in secret and (password := _password(secret)):
                found.update(_forms(password))
        # The longest first: a URL goes as a whole, before the password in it.
        kept = (text for text in found if len(text) >= SHORTEST_SECRET)
        self._secrets = sorted(kept, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return text without the secrets."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        return text


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it looks plain, in a URL, and in the JSON of a log line."""
    for text in (secret, unquote(secret)):
        yield from (text, quote(text, safe=""), quote(text), quote_plus(text))
        for plain in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
            yield plain
            yield plain.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def _password(url: str) -> str | None:
    try:
        return urlsplit(url).password
    except ValueError:
        return None

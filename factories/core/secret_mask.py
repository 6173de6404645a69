"""Keeps secrets out of logs and error text."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO, cast
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK = "***"
SHORTEST_SECRET = 3
SHORTEST_ENCODED = 7  # of base64 or hex: shorter ones stand in any text
ESCAPED = re.compile(r"%[0-9A-F]{2}")
URL_SAFE = "!#$%&'()*+,/:;=?@[]~"
SECRET_NAME = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|WEBHOOK|DSN",
    re.IGNORECASE,
)
NAME_OF_A_PLACE = re.compile(r"_(PATH|FILE|DIR)$", re.IGNORECASE)
SHORTEST_NAMED = 6  # of a secret that is known by its variable's name alone


class SecretMask:
    """Replaces secrets by `***` in text, also as they look inside a URL, JSON, base64 or hex."""

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

    def add(self, secret: str) -> None:
        """Hide one more secret, which became known while the step ran."""
        if secret not in self._secrets:
            self._secrets = SecretMask([*self._secrets, secret])._secrets  # noqa: SLF001 - of its own class

    def __call__(self, text: str) -> str:
        """Return text without the secrets."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        return text


def environment_secrets(environ: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Yield the variables that are secret by their name, or by a password in their URL.

    A tool knows the secrets that its settings name; a team's own code may take any other.

    Args:
        environ: Of this process.
    """
    for name, value in environ.items():
        if SECRET_NAME.search(name) and not NAME_OF_A_PLACE.search(name):
            if len(value) >= SHORTEST_NAMED:
                yield value
        elif "://" in value and "@" in value and _password(value):
            yield value


def mask_with_environment(secrets: Iterable[str]) -> SecretMask:
    """Return what hides a tool's own secrets, and those of this process's environment."""
    return SecretMask([*secrets, *environment_secrets()])


@contextmanager
def mask_output(mask: SecretMask) -> Iterator[None]:
    """Hide secrets in what Python code prints, and in what `logging` writes where nobody set it up.

    What a program that the code starts writes, or the code itself to `sys.stdout.buffer`, is not
    seen here.
    """
    with (
        redirect_stdout(cast("TextIO", _Masked(sys.stdout, mask))),
        redirect_stderr(cast("TextIO", _Masked(sys.stderr, mask))),
    ):
        yield


class _Masked:
    """A stream that takes text, and gives it to another one without secrets."""

    def __init__(self, stream: TextIO, mask: SecretMask) -> None:
        self._stream = stream
        self._mask = mask

    def write(self, text: str) -> int:
        self._stream.write(self._mask(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it looks plain, in a URL, in Python's repr and in a log line's JSON."""
    for text in (secret, unquote(secret)):
        yield from (text, quote(text, safe=""), quote(text), quote_plus(text), repr(text)[1:-1])
        # As requests and dlt write it in an address.
        yield from (quote(text, safe=URL_SAFE), quote_plus(text, safe="*"))
        yield ESCAPED.sub(lambda escape: escape[0].lower(), quote(text, safe=""))
        yield from _encoded_forms(text)
        for plain in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
            yield plain
            yield plain.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def _encoded_forms(secret: str) -> Iterator[str]:
    """Yield a secret as it looks in base64 and in hex, also in the middle of a longer text.

    `Basic` of HTTP is base64 of `user:password`: how a password looks there depends on the length
    of the user's name alone.
    """
    contents = {secret.encode(errors="surrogatepass")}
    if not secret.isascii():
        contents.add(secret.encode("latin-1", errors="ignore"))  # as requests encodes a login
    for content in contents:
        found = [content.hex(), content.hex().upper()]
        for before in range(3):
            plain = _cut_base64(content, before)
            url_safe = plain.replace("+", "-").replace("/", "_")
            found += [plain, url_safe, quote(plain, safe="")]
        yield from (text for text in found if len(text) >= SHORTEST_ENCODED)


def _cut_base64(content: bytes, before: int) -> str:
    """Return the base64 of a content, without the characters that its neighbours share.

    Args:
        content: Part of what is encoded.
        before: How many bytes stand before it, beyond whole groups of three.
    """
    text = base64.b64encode(bytes(before) + content).decode()
    # Of an unfinished group, the last character holds bits of what comes after.
    padding = text.count("=")
    end = len(text) - (padding + 1 if padding else 0)
    return text[(0, 2, 3)[before] : end]


def _password(url: str) -> str | None:
    try:
        return urlsplit(url).password
    except ValueError:
        return None

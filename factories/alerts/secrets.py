"""What must not stand in a message: the environment's secrets, and what looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from factories.core.secret_mask import MASK, SecretMask, environment_secrets

# A login in a URL, a header of HTTP, and `password=…` in any of its spellings.
IN_URL = re.compile(r"(?<=://)([^\s/@:]*):([^\s@]+)(?=@)")
IN_HEADER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}")
ASSIGNED = re.compile(
    r"""(?ix) \b ( [\w-]* (?: password | passwd | pwd | passphrase | secret | token | api[_-]?key
        | access[_-]?key | private[_-]?key ) [\w-]* ) (["']? \s* [=:] \s* ["']?)
        (?! \*\*\* ) [^\s"',;&)}\]]+ """
)


class MessageMask:
    """Hides secrets in text that leaves for a channel."""

    def __init__(self, environ: Mapping[str, str], names: Iterable[str] = ()) -> None:
        """Take the environment.

        Args:
            environ: Of this process: steps run with the same.
            names: Variables that are secret, whatever they are called.
        """
        known = {environ[name] for name in names if name in environ}
        self._mask = SecretMask({*known, *environment_secrets(environ)})

    def __call__(self, text: str) -> str:
        """Return text without secrets."""
        text = self._mask(text)
        text = IN_URL.sub(rf"\1:{MASK}", text)
        text = IN_HEADER.sub(rf"\1 {MASK}", text)
        return ASSIGNED.sub(rf"\1\2{MASK}", text)

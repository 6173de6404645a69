"""What a files sensor remembers from one look to the next."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from factories.automation.sensors.listing import FoundFile

TOKEN = 8  # characters, 48 bits: with as many files, one in five thousand million is mistaken


@dataclass(frozen=True)
class Cursor:
    """The files that were there, each in its version as eight characters.

    Dagster keeps a cursor with each tick: paths would be too much of it.

    Attributes:
        taken: The files that were taken, and are still there.
        seen: The others that the look before has found.
        path: The pattern that the look before has used.
        ready_suffix: That of the markers that it has looked for, if any.
    """

    taken: frozenset[str]
    seen: frozenset[str]
    path: str
    ready_suffix: str | None

    @classmethod
    def read(cls, text: str | None, path: str, ready_suffix: str | None) -> Cursor:
        """Read what `write` wrote; of the first look, nothing.

        Args:
            text: As Dagster has kept it.
            path: The pattern of this look.
            ready_suffix: Of the markers of this look.
        """
        kept = json.loads(text) if text else {}
        return cls(
            _split(kept.get("taken", "")),
            _split(kept.get("seen", "")),
            kept.get("path", path),
            kept.get("ready_suffix", ready_suffix),
        )

    def write(self) -> str:
        """Return it as Dagster keeps it."""
        return json.dumps(
            {
                "taken": "".join(self.taken),
                "seen": "".join(self.seen),
                "path": self.path,
                "ready_suffix": self.ready_suffix,
            }
        )

    def after(self, found: Iterable[FoundFile], taken: Iterable[FoundFile]) -> Cursor:
        """Return what the next look knows: nothing of files that are gone, which may be many."""
        now = frozenset(map(token, found))
        kept = (self.taken & now) | frozenset(map(token, taken))
        return Cursor(kept, now - kept, self.path, self.ready_suffix)


def _split(text: str) -> frozenset[str]:
    return frozenset(text[at : at + TOKEN] for at in range(0, len(text), TOKEN))


def token(file: FoundFile) -> str:
    """Return what a cursor remembers of a file."""
    found = hashlib.sha256(f"{file.path}\n{file.version}".encode(errors="surrogatepass"))
    return base64.b64encode(found.digest()).decode()[:TOKEN]

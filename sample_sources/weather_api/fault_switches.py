"""Where faults are switched on: the server's environment, a file, and each request."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from sample_sources.folders import replace_text
from sample_sources.weather_api.faults import Fault, FaultCounts, FaultError, parse_faults

VARIABLE = "WEATHER_API_FAULTS"


def switch_faults(folder: Path, text: str) -> list[Fault]:
    """Replace the faults that `dp sample fault` switched on; a running server follows at once.

    Args:
        folder: weather_api's folder.
        text: The faults as they are written; blank: none.

    Raises:
        FaultError: They are not written as they must be; nothing changes.
    """
    faults = parse_faults(text)
    # The counts begin anew also where the same faults are switched on again.
    said = {"switch": secrets.token_hex(8), "faults": text}
    replace_text(_file(folder), json.dumps(said))
    return faults


def switched_faults(folder: Path) -> list[Fault]:
    """The faults that `dp sample fault` switched on."""
    said = _read(folder)
    return parse_faults(json.loads(said)["faults"]) if said else []


class FaultSwitches:
    """All the faults that hold for a server, with their counts."""

    def __init__(self, folder: Path) -> None:
        """Read the faults of the environment.

        Raises:
            FaultError: They are not written as they must be.
        """
        self._folder = folder
        try:
            self._of_environment = FaultCounts(parse_faults(os.environ.get(VARIABLE, "")))
        except FaultError as error:
            raise FaultError(f"{VARIABLE}: {error}") from error
        self._said: str | None = None
        self._of_file = FaultCounts([])
        self._of_requests: dict[str, FaultCounts] = {}

    def standing(self) -> tuple[Fault, ...]:
        """The faults that hold for every request."""
        said = _read(self._folder)
        if said != self._said:
            self._of_file = FaultCounts(switched_faults(self._folder))
            self._said = said
        return self._of_environment.faults + self._of_file.faults

    def hits(self, own: Iterable[str], request: str, page: int) -> list[Fault]:
        """The faults that hit a request, those of the environment first, its own last.

        Args:
            own: The faults that the request itself asks for, as written.
            request: What is asked for; alike when a client tries again.
            page: The page's number.

        Raises:
            FaultError: The request's own faults are not written as they must be.
        """
        counts = [
            self._of_requests.setdefault(text, FaultCounts(parse_faults(text))) for text in own
        ]
        self.standing()
        return [
            fault
            for each in (self._of_environment, self._of_file, *counts)
            for fault in each.hits(request, page)
        ]


def _file(folder: Path) -> Path:
    return folder / "faults.json"


def _read(folder: Path) -> str | None:
    try:
        return _file(folder).read_text()
    except FileNotFoundError:
        return None

"""What the sensors of a target know from one evaluation to the next, in the instance's storage.

It lies beside the daemon's own cursors, not in the sensor's cursor: it is written after each post,
whatever becomes of the evaluation, and other code locations and `dp alerts` read it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import dagster as dg
from pydantic import BaseModel, ValidationError

from factories.alerts.incidents import Incident

PREFIX = "dp/alerts"
LOCATIONS = f"{PREFIX}/locations"


class ChannelHealth(BaseModel):
    """A channel that could not be reached.

    Attributes:
        failures: How often in a row.
        since: When that began.
        next_try: When it is tried again.
        error: What the last attempt said, without secrets.
    """

    failures: int = 0
    since: float = 0.0
    next_try: float = 0.0
    error: str = ""


class AlertState(BaseModel):
    """What one code location's sensor knows.

    Attributes:
        location: The code location's name.
        watched_until: The runs that were updated until then are known, in seconds since 1970.
        judged: Runs that have ended and are known, by when they ended.
        following: Runs that go on, each with the cursor of its last known event.
        runless_cursor: The cursor of what was reported outside of runs.
        seen_ticks: Until when the ticks of each sensor and schedule are known.
        last_tick: When the sensor was last evaluated.
        awake_since: Since when it is, without a long break.
        incidents: By their keys.
        channels: Those that could not be reached.
    """

    location: str
    watched_until: float | None = None
    judged: dict[str, float] = {}
    following: dict[str, str | None] = {}
    runless_cursor: str | None = None
    seen_ticks: dict[str, float] = {}
    last_tick: float | None = None
    awake_since: float = 0.0
    incidents: dict[str, Incident] = {}
    channels: dict[str, ChannelHealth] = {}


class StateStore:
    """Reads and writes the state of alerts of one target in an instance."""

    def __init__(self, instance: dg.DagsterInstance, target: str) -> None:
        """Take the instance and the target."""
        self._storage = instance.daemon_cursor_storage
        self._target = target
        self._written: str | None = None  # what was written last

    def _key(self, location: str) -> str:
        return f"{PREFIX}/{self._target}/{location}"

    def read(self, location: str) -> AlertState:
        """Return what a code location's sensor knows; nothing before its first evaluation.

        Raises:
            StateError: When what is stored cannot be read.
        """
        text = self._get(self._key(location))
        if text is None:
            return AlertState(location=location)
        try:
            return AlertState.model_validate_json(text)
        except ValidationError as error:
            raise StateError(self._key(location), error) from None

    def write(self, state: AlertState) -> None:
        """Keep what a code location's sensor knows."""
        text = state.model_dump_json()
        if text == self._written:
            return
        # One at a time: of several, Dagster updates those that exist and loses the others.
        self._storage.set_cursor_values({self._key(state.location): text})
        if self._written is None and state.location not in (known := self.locations()):
            listed = json.dumps(sorted({*known, state.location}))
            self._storage.set_cursor_values({LOCATIONS: listed})
        self._written = text

    def locations(self) -> list[str]:
        """Return the code locations that have alerts, on any target."""
        return [str(name) for name in json.loads(self._get(LOCATIONS) or "[]")]

    def others(self, location: str) -> Iterable[AlertState]:
        """Yield what the other code locations' sensors know, as far as it can be read."""
        for name in self.locations():
            if name != location:
                try:
                    yield self.read(name)
                except StateError:
                    continue  # its own sensor says so

    def _get(self, key: str) -> str | None:
        return self._storage.get_cursor_values({key}).get(key)


class StateError(Exception):
    """What is stored cannot be read, such as what a later version has written."""

    def __init__(self, key: str, error: ValidationError) -> None:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        super().__init__(f"the state {key} of the instance cannot be read: {where}: {first['msg']}")

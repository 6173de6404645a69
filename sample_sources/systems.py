"""The sample systems there are. A further one is a further entry of `SYSTEMS`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from sample_sources.flight_ops.system import FlightOps
from sample_sources.status import Status
from sample_sources.weather_api.system import WeatherApi


class SampleSystem(Protocol):
    """A system that starts on demand, on this machine, for this user alone."""

    @property
    def name(self) -> str:
        """The name for `dp sample`; `<NAME>_URL` is the variable that a real system replaces."""

    def up(self, report: Callable[[str], None]) -> str:
        """Start it unless it runs, telling `report` each longer step; return its URL."""

    def down(self) -> bool:
        """Stop it; return whether it was running."""

    def reset(self) -> None:
        """Stop it and delete its data."""

    def status(self) -> Status:
        """What it is doing now; starts nothing."""


FLIGHT_OPS: Final = FlightOps()
"""Keeps the clock that all systems share."""

WEATHER_API: Final = WeatherApi()

SYSTEMS: Final[tuple[SampleSystem, ...]] = (FLIGHT_OPS, WEATHER_API)

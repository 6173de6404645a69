"""The life of weather_api: started, stopped, thrown away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime

from sample_sources.errors import SampleError
from sample_sources.folders import PROJECT_ROOT, local_dir
from sample_sources.locking import one_at_a_time
from sample_sources.status import Status
from sample_sources.weather_api.address import (
    current_url,
    folder,
    forget_state,
    health,
    read_state,
)
from sample_sources.weather_api.fault_switches import switch_faults, switched_faults
from sample_sources.weather_api.observations import observed

_START_SECONDS = 60
_STOP_SECONDS = 10
_POLL_SECONDS = 0.02
# What the server needs of its starter's environment; secrets of the rest do not reach it.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH")


class WeatherApi:
    """The service of weather observations: JSON over HTTP, page by page."""

    name = "weather_api"

    def up(self, report: Callable[[str], None]) -> str:
        """Start the server unless it runs, return its URL.

        Args:
            report: Called with what is being done, before each longer step.

        Raises:
            SampleError: It cannot start.
        """
        with _lock():
            if url := current_url():
                return url
            report("starting the server")
            return _start()

    def down(self) -> bool:
        """Stop the server; returns whether it was running."""
        with _lock():
            return _stop()

    def reset(self) -> None:
        """Stop the server, switch all faults off. The clock is flight_ops's and stays."""
        with _lock():
            _stop()
            for name in ("faults.json", "server.log"):
                (folder() / name).unlink(missing_ok=True)

    def status(self) -> Status:
        """What the system is doing now; starts nothing."""
        state = read_state()
        said = health(state) if state else None
        if state is None or said is None:
            return Status(name=self.name, running=False)
        return Status(
            name=self.name,
            running=True,
            url=state.url,
            clock=datetime.fromisoformat(said["clock"]),
            rows=said["rows"],
            faults=said["faults"],
        )

    def observed(self, clock: datetime, *, days: int) -> int:
        """How many observations came with the last days before the clock; starts nothing."""
        return observed(clock, days=days)

    def switch_faults(self, faults: Sequence[str]) -> list[str]:
        """Switch these faults on and all others off; returns them.

        They hold, whether the server runs or not, until they are switched off or the system is
        reset.

        Raises:
            SampleError: One is not written as it must be.
        """
        with _lock():
            return [fault.text for fault in switch_faults(folder(), ";".join(faults))]

    def switched_faults(self) -> list[str]:
        """The faults that were switched on."""
        return [fault.text for fault in switched_faults(folder())]


def _start() -> str:
    forget_state()  # a killed server's, whose port another program may have
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in _ENVIRONMENT or name.startswith(("DP_", "WEATHER_API_"))
    }
    log = folder() / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "sample_sources.weather_api.server"],
            cwd=PROJECT_ROOT,
            env={**environment, "DP_LOCAL_DIR": str(local_dir())},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    give_up = time.monotonic() + _START_SECONDS
    try:
        while time.monotonic() < give_up and process.poll() is None:
            if url := current_url():
                return url
            time.sleep(_POLL_SECONDS)
    except BaseException:  # an interrupt too: no server may be left behind
        process.kill()
        raise
    process.kill()
    process.wait()
    said = log.read_text(errors="replace").strip().splitlines() or ["it printed nothing"]
    raise SampleError(f"weather_api did not start: {said[-1]} (log: {log})")


def _stop() -> bool:
    state = read_state()
    was_running = state is not None and health(state) is not None
    if state and was_running:
        os.kill(state.pid, signal.SIGTERM)
        give_up = time.monotonic() + _STOP_SECONDS
        while read_state():  # deleted by the server at its end
            if time.monotonic() > give_up:
                with suppress(ProcessLookupError):
                    os.kill(state.pid, signal.SIGKILL)
                break
            time.sleep(_POLL_SECONDS)
    forget_state()
    return was_running


def _lock() -> AbstractContextManager[None]:
    """One process at a time starts, stops or deletes; the others wait."""
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    return one_at_a_time(folder() / "lock")

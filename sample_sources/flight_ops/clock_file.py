"""The shared clock for systems that do not need flight_ops to run.

The clock is kept in flight_ops's database, where it changes together with the flights.
An advance writes into a file beside the database what the clock will show before it commits,
and that it does show it afterwards. Whoever reads the file in between, also where the
advance was killed in between, asks the database. Where that does not run, nobody can see whether
the advance took place; the next start sets the file right.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg

from sample_sources.clock import START
from sample_sources.flight_ops.address import current_url, folder, read_state
from sample_sources.flight_ops.replay import read_clock
from sample_sources.folders import replace_text

_CONNECT_SECONDS = 2


def clock_lock() -> Path:
    """The lock of whoever moves the clock or writes its file."""
    return folder() / "clock.lock"


def write_clock_file(now: datetime, *, moves_to: datetime | None = None) -> None:
    """Say what the clock shows; the caller holds `clock_lock()`.

    Args:
        now: The time that the clock shows.
        moves_to: The time that it will show once an advance has committed.
    """
    text = json.dumps({"now": f"{now}", "moves_to": f"{moves_to}" if moves_to else None})
    replace_text(folder() / "clock.json", text)


def current_clock() -> datetime:
    """The time that the sample's clock shows (New York's local time); starts nothing."""
    if read_state() is None:  # no complete database: the next one begins at the start
        return START
    known = _read_clock_file()
    if known is not None and known.moves_to is None:
        return known.now
    return _ask_database() or (known.now if known else START)


@dataclass(frozen=True)
class _Known:
    now: datetime
    moves_to: datetime | None


def _read_clock_file() -> _Known | None:
    try:
        said = json.loads((folder() / "clock.json").read_text())
    except FileNotFoundError:
        return None
    moves_to = said["moves_to"]
    return _Known(
        datetime.fromisoformat(said["now"]), datetime.fromisoformat(moves_to) if moves_to else None
    )


def _ask_database() -> datetime | None:
    url = current_url()
    if url is None:
        return None
    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_SECONDS) as connection:
            return read_clock(connection)
    except psycopg.OperationalError:  # it was stopped meanwhile
        return None

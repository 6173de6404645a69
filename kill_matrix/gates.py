"""Holds a step where it is to be killed, and tells when it has come there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from kill_matrix import cases
from kill_matrix.place import Place
from kill_matrix.projects.project import GATE, UPDATE, Work
from sample_sources.flight_ops.address import url as source_url
from sample_sources.systems import WEATHER_API
from sample_sources.weather_api.address import read_state

LOOK_SECONDS = 0.05
# From the sign that comes before a statement to that statement, which then waits.
SETTLE_SECONDS = 2.5
WAITS_IN_SOURCE = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
# The fifth of the API's pages is the one that is waited for.
SLOW_PAGE = "slow:seconds=60,page=5"


@dataclass
class Gate:
    """What a step waits at.

    Attributes:
        sign: Tells whether the step has come so far.
        settle: Seconds after the sign until it surely waits.
        open: Lets it go on.
    """

    sign: Callable[[], bool]
    settle: float
    open: Callable[[], None]

    def wait(self, has_ended: Callable[[], bool], seconds: float) -> bool:
        """Wait until the step has come; return whether it has."""
        deadline = time.monotonic() + seconds
        while not self.sign():
            if has_ended() or time.monotonic() > deadline:
                return False
            time.sleep(LOOK_SECONDS)
        time.sleep(self.settle)
        return not has_ended()


@contextmanager
def closed_gate(case: cases.Case, work: Work, place: Place) -> Iterator[Gate]:
    """Close the gate of a case; it is open again at the end of the block at the latest."""
    gate = _close(case, work, place)
    try:
        yield gate
    finally:
        gate.open()


def _close(case: cases.Case, work: Work, place: Place) -> Gate:
    if case.victim == cases.API:
        return _slow_page()
    if case.phase == cases.READS:
        return _lock_source()
    if case.phase == cases.COPIES:
        return _see_first_rows(work, place)
    if case.phase == cases.RUNS:
        return _hold_function(place.gate)
    sign = {
        "Sling": _staged(place),
        "dlt": _staged(place),
        "dbt": lambda: _hooks_reached(place, case.phase),
        "Snowpark": (place.gate / "begun").exists,
    }[case.tool]
    (place.gate / "begun").unlink(missing_ok=True)
    latches = {cases.BEFORE: "BEFORE", cases.AFTER: "AFTER"}
    if latch := latches.get(case.phase):
        return _lock_table(place, UPDATE.format(latch=latch), sign)
    column = work.columns[0]
    return _lock_table(place, f"update {work.table} set {column} = {column}", sign)


def _lock_source() -> Gate:
    """Hold the lock that the source's query asks for at one of its rows."""
    connection = psycopg.connect(source_url(), autocommit=True, connect_timeout=10)
    connection.execute(f"select pg_advisory_lock({GATE})")

    def sign() -> bool:
        (row,) = connection.execute(WAITS_IN_SOURCE).fetchall()
        return bool(row[0])

    def let_go() -> None:
        with suppress(psycopg.Error):  # it was killed, or this was done before
            connection.close()

    return Gate(sign, 0.3, let_go)


def _lock_table(place: Place, change: str, sign: Callable[[], bool]) -> Gate:
    """Change a table in a transaction that stays open: who else changes it waits."""
    holder = place.connect()
    holder.cursor().execute("begin")
    holder.cursor().execute(change)

    return Gate(sign, SETTLE_SECONDS, lambda: place.release(holder))


def _see_first_rows(work: Work, place: Place) -> Gate:
    """Look for new rows of a table: nothing holds what copies them, so there is no time to lose."""
    watcher = place.connect()
    count = f"select count(*) from {work.table}"
    before = watcher.cursor().execute(count).fetchall()
    return Gate(
        lambda: bool(watcher.cursor().execute(count).fetchall() != before),
        settle=0,
        open=lambda: place.release(watcher),
    )


def _staged(place: Place) -> Callable[[], bool]:
    """Return what tells whether rows were staged in the warehouse from now on."""
    stages = place.local / "snowflake" / "stages"
    before = set(stages.rglob("*"))
    return lambda: any(path.is_file() for path in set(stages.rglob("*")) - before)


def _hooks_reached(place: Place, phase: str) -> bool:
    """Tell whether the hook before the model, or the one after it, has begun."""
    wanted = 2 if phase == cases.AFTER else 1
    ((count,),) = place.rows("select count(*) from RAW.GATE.REACHED")
    return int(str(count)) >= wanted


def _hold_function(folder: Path) -> Gate:
    """Let the project's Python functions wait."""
    (folder / "begun").unlink(missing_ok=True)
    (folder / "hold").touch()
    return Gate((folder / "begun").exists, 0.3, lambda: (folder / "hold").unlink(missing_ok=True))


def _slow_page() -> Gate:
    """Let the API answer one of its pages late."""
    WEATHER_API.switch_faults([SLOW_PAGE])
    state = read_state()

    def sign() -> bool:
        try:
            found = psutil.Process(state.pid).net_connections() if state else []
        except psutil.Error:
            return False
        return any(each.status == psutil.CONN_ESTABLISHED for each in found)

    def answer_at_once() -> None:
        WEATHER_API.switch_faults([])

    return Gate(sign, SETTLE_SECONDS, answer_at_once)

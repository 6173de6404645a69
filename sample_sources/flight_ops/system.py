"""The life of flight_ops: created, filled, started, stopped, thrown away."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import psycopg

from sample_sources.clock import START
from sample_sources.errors import SampleError
from sample_sources.flight_ops.address import (
    LAYOUT,
    State,
    current_url,
    folder,
    read_state,
    url_in,
    write_state,
)
from sample_sources.flight_ops.clock_file import clock_lock, write_clock_file
from sample_sources.flight_ops.fill import fill
from sample_sources.flight_ops.postgres import EmbeddedPostgres
from sample_sources.flight_ops.replay import Advance, advance, read_clock
from sample_sources.locking import one_at_a_time
from sample_sources.status import Status

TABLES = ("flights", "planes", "airports", "airlines")
_CONNECT_SECONDS = 10


class FlightOps:
    """The operational system of flights: PostgreSQL with schema `ops`. It keeps the clock."""

    name = "flight_ops"

    def up(self, report: Callable[[str], None]) -> str:
        """Create and fill the database if it is missing, start the server, return its URL.

        A folder whose fill was cut short is thrown away and built again.

        Args:
            report: Called with what is being done, before each longer step.

        Raises:
            SampleError: It cannot start, or was made by another version.
        """
        with _lock():
            if url := current_url():
                return url
            server = _server()
            state = read_state()
            if state is None:
                report("creating the database")
                return self._build(server, report)
            if state.layout != LAYOUT:
                raise SampleError(
                    f"{folder()} was made by another version: run `dp sample reset --yes`."
                )
            report("starting the database")
            return self._restart(server)

    def down(self) -> bool:
        """Stop the server; returns whether it was running."""
        with _lock():
            was_running = current_url() is not None
            if state := read_state():
                write_state(State(layout=state.layout, socket_dir=None))
            _server().stop()
            return was_running

    def reset(self) -> None:
        """Stop the server and delete its data: the next start begins anew."""
        with _lock():
            # The state first: without it, whatever is left of the data is never served.
            (folder() / "state.json").unlink(missing_ok=True)
            _server().remove()
            (folder() / "clock.json").unlink(missing_ok=True)

    def status(self) -> Status:
        """What the system is doing now; starts nothing."""
        url = current_url()
        if url is None:
            return Status(name=self.name, running=False)
        with _connect(url) as connection:
            rows = {}
            for table in TABLES:
                query = f"select count(*) from ops.{table}"  # noqa: S608 - names from TABLES
                rows[f"ops.{table}"] = connection.execute(query.encode()).fetchall()[0][0]
            clock = read_clock(connection)
        return Status(name=self.name, running=True, url=url, clock=clock, rows=rows)

    def advance(self, days: int, report: Callable[[str], None]) -> Advance:
        """Move the clock on by whole days; starts the system when needed.

        Raises:
            SampleError: `days` is less than one, or the system cannot start.
        """
        url = self.up(report)
        with one_at_a_time(clock_lock()), _connect(url) as connection:
            report(f"replaying {days} day{'s' if days > 1 else ''}")
            with connection.transaction():
                done = advance(connection, days)
                before = done.clock - timedelta(days=done.days)
                write_clock_file(before, moves_to=done.clock)
            write_clock_file(done.clock)
            return done

    def _build(self, server: EmbeddedPostgres, report: Callable[[str], None]) -> str:
        server.create()
        try:
            socket_dir = server.start()
            report("filling it with the flights of 2013")
            with _connect(url_in(socket_dir)) as connection:
                fill(connection)
            with one_at_a_time(clock_lock()):
                write_clock_file(START)
        except BaseException:  # an interrupt too: no server may be left behind
            server.remove()
            raise
        write_state(State(layout=LAYOUT, socket_dir=str(socket_dir)))
        return url_in(socket_dir)

    def _restart(self, server: EmbeddedPostgres) -> str:
        # A server that still recovers from a crash answers already: nobody may be sent there.
        write_state(State(layout=LAYOUT, socket_dir=None))
        socket_dir = server.start()
        with one_at_a_time(clock_lock()), _connect(url_in(socket_dir)) as connection:
            write_clock_file(read_clock(connection))
        write_state(State(layout=LAYOUT, socket_dir=str(socket_dir)))
        return url_in(socket_dir)


def _server() -> EmbeddedPostgres:
    return EmbeddedPostgres(folder() / "postgres")


def _connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url, connect_timeout=_CONNECT_SECONDS)


def _lock() -> AbstractContextManager[None]:
    """One process at a time starts, stops or deletes; the others wait."""
    return one_at_a_time(folder() / "lock")

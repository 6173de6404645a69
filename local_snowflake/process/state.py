"""Where the warehouse's files are, and how its server is found.

Standard library only: every environment may import this.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"


def default_folder() -> Path:
    """`snowflake/` in `DP_LOCAL_DIR`, or in `.local/` of the project."""
    return Path(os.environ.get("DP_LOCAL_DIR") or PROJECT_ROOT / ".local").resolve() / "snowflake"


@dataclass(frozen=True)
class ServerState:
    """A running server, as it wrote itself down.

    Attributes:
        pid: Its process.
        port: Where it listens on 127.0.0.1.
        token: The password of all logins.
        started_at: When it started, ISO 8601 in UTC.
    """

    pid: int
    port: int
    token: str
    started_at: str

    def __repr__(self) -> str:
        return f"ServerState(pid={self.pid}, port={self.port}, started_at={self.started_at!r})"


def state_file(folder: Path) -> Path:
    """The file with port and token."""
    return folder / "server.json"


def lock_file(folder: Path) -> Path:
    """Locked by the server that uses the folder."""
    return folder / "server.lock"


def starter_lock_file(folder: Path) -> Path:
    """Locked by whoever starts, stops or resets the server."""
    return folder / "starter.lock"


def log_file(folder: Path) -> Path:
    """What the server printed."""
    return folder / "server.log"


def read_state(folder: Path) -> ServerState | None:
    """The server that was started last; None when it ended cleanly or never was."""
    try:
        return ServerState(**json.loads(state_file(folder).read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):  # not ours, or of another version: as good as none
        return None


def write_state(folder: Path, state: ServerState) -> None:
    """Write the state so that only this user can read it and nobody reads half of it."""
    temporary = state_file(folder).with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(state), file)
    temporary.replace(state_file(folder))

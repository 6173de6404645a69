"""Where the warehouse's files are, and how a running server is found.

Standard library only: every environment may import this.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from local_snowflake.identity import PROJECT_ROOT


def default_folder() -> Path:
    """Return `snowflake/` in `DP_LOCAL_DIR`, or in `.local/` of the project."""
    return Path(os.environ.get("DP_LOCAL_DIR") or PROJECT_ROOT / ".local").resolve() / "snowflake"


@dataclass(frozen=True)
class ServerState:
    """A running server, as it describes itself in its state file.

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
    """Return the file with port and token."""
    return folder / "server.json"


def lock_file(folder: Path) -> Path:
    """Return the file that the server locks while it uses the folder."""
    return folder / "server.lock"


def starter_lock_file(folder: Path) -> Path:
    """Return the file that is locked to start, stop or reset the server."""
    return folder / "starter.lock"


def log_file(folder: Path) -> Path:
    """Return the log file of the server."""
    return folder / "server.log"


def read_state(folder: Path) -> ServerState | None:
    """Return the server that was started last; None if it ended cleanly or never started."""
    try:
        return ServerState(**json.loads(state_file(folder).read_text()))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError):  # not written by this version: treated as none
        return None


def write_state(folder: Path, state: ServerState) -> None:
    """Write the state file; only this user can read it, and nobody reads half of it."""
    temporary = state_file(folder).with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(state), file)
    temporary.replace(state_file(folder))

"""This machine: free disk, its clock, and what a `dp` that was killed has left."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, build_opener

from factories.cli.doctor.findings import Finding, note, ok, problem
from factories.cli.serving.dagster_process import instance_folder
from factories.cli.serving.served_instance import LOCK_FILE, read_served

DISK = "disk"
CLOCK = "clock"
INSTANCE = "instance"
GIB = 2**30
DRIFT_SECONDS = 30


def look_at_disk(root: Path, least_gib: float) -> Iterator[Finding]:
    """Yield whether the folders of local data and of temporary files have space left.

    Args:
        root: The project folder.
        least_gib: How many GiB must be free.
    """
    local = Path(os.environ.get("DP_LOCAL_DIR") or root / ".local").resolve()
    folders = {
        "local data": (local, "DP_LOCAL_DIR", "`dp local reset` and `dp sample reset` delete them"),
        "temporary files": (Path(tempfile.gettempdir()), "TMPDIR", "delete what is old there"),
    }
    for what, (folder, variable, clean) in folders.items():
        there = next(each for each in (folder, *folder.parents) if each.is_dir())
        free = shutil.disk_usage(there).free / GIB
        said = f"{free:.1f} GiB free in {folder}"
        if not os.access(there, os.W_OK | os.X_OK):
            fix = f"let this user write there, or name another folder in {variable}"
            yield problem(DISK, what, f"{folder} cannot be written", fix)
        elif free < least_gib:
            fix = f"{clean}, or name another folder in {variable}"
            yield problem(DISK, what, f"{said}, and {least_gib:g} are needed", fix)
        else:
            yield ok(DISK, what, said)


def compare_clocks(what: str, theirs: datetime, ours: datetime) -> Finding:
    """Return whether a clock agrees with this machine's.

    Key-pair logins are refused, and rows that are new by their time are left out, where it does
    not.
    """
    seconds = (ours - theirs).total_seconds()
    if abs(seconds) <= DRIFT_SECONDS:
        return ok(CLOCK, what, f"differs from this machine's by less than {DRIFT_SECONDS} s")
    word = "fast" if seconds > 0 else "slow"
    said = f"this machine's is {abs(seconds):.0f} s {word}"
    fix = "set it by the network: `timedatectl set-ntp true`, or the machine's host does it"
    return problem(CLOCK, what, said, fix)


def read_http_date(url: str, seconds: float) -> datetime | None:
    """Return the time that a server says it is; None when it says none."""
    request = Request(url, method="HEAD")  # noqa: S310 - http or https, by the warehouse's settings
    try:
        with build_opener().open(request, timeout=seconds) as answer:
            text = answer.headers.get("Date")
    except HTTPError as error:
        text = error.headers.get("Date")
        error.close()
    except (OSError, HTTPException):
        return None
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None


def look_at_instance(root: Path) -> Iterator[Finding]:
    """Yield who serves the Dagster instance, and what a `dp` that was killed has left there."""
    home = instance_folder(root)
    served = read_served(home)
    held = _is_held(home / LOCK_FILE)
    if served is None:
        if held:
            fix = f"end what holds it: `fuser -v {home / LOCK_FILE}` names it"
            yield problem(INSTANCE, "Dagster", "held by a process that noted nothing", fix)
        else:
            yield ok(INSTANCE, "Dagster", f"nothing runs on {home}")
    elif not served.by.is_dead:
        yield ok(INSTANCE, "Dagster", f"`{served.command}` (process {served.by.pid}) serves it")
    elif held:
        said = f"`{served.command}` (process {served.by.pid}) has died, and its Dagster still ends"
        fix = f"wait half a minute; then `pkill -s {served.session}` ends it"
        yield problem(INSTANCE, "Dagster", said, fix)
    else:
        said = f"`{served.command}` (process {served.by.pid}) was killed, and left its runs"
        yield note(INSTANCE, "Dagster", said, "the next `dp run` or `dp dev` clears them")


def _is_held(path: Path) -> bool:
    """Tell whether a process holds the instance; nothing is made, and it is not taken for long."""
    try:
        with path.open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False

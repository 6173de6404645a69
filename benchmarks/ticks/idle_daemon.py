"""What a `dp dev` that has nothing to do costs: the daemon, the code servers and the webserver."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.systems import DP, ROOT
from factories.cli.serving.dagster_process import find_dagster, find_free_port

START_SECONDS = 180
SETTLE_SECONDS = 60
WATCH_SECONDS = 300
# What `dagster dev` starts: `python -m` and one of these.
MODULES = {
    "dagster._daemon": "daemon",
    "dagster": "code servers",
    "dagster_webserver": "webserver",
}


class NotServedError(Exception):
    """`dp dev` did not come up: there is nothing to measure."""


def measure_idle_hour() -> dict[str, float]:
    """Return the CPU seconds of an hour in which no asset is due, by the kind of process.

    The demo's three code locations are served with all their sensors on and nothing loaded; five
    minutes are measured.

    Raises:
        NotServedError: When they are not served within three minutes.
    """
    with tempfile.TemporaryDirectory(prefix="dp-", ignore_cleanup_errors=True) as folder:
        local = Path(folder)
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("DP_", "DAGSTER"))},
            "DP_LOCAL_DIR": str(local),
        }
        command = [str(DP), "dev", "--port", str(find_free_port())]
        with (local / "dev.log").open("w") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            _wait_until_served(local / "dagster")
            time.sleep(SETTLE_SECONDS)
            before = _cpu_seconds(process.pid)
            time.sleep(WATCH_SECONDS)
            after = _cpu_seconds(process.pid)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
    return {kind: (after[kind] - before[kind]) * 3600 / WATCH_SECONDS for kind in before}


def _wait_until_served(home: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while find_dagster(home) is None:
        if time.monotonic() > deadline:
            raise NotServedError(f"dp dev did not come up within {START_SECONDS} s")
        time.sleep(1)


def _cpu_seconds(pid: int) -> dict[str, float]:
    """Return the CPU seconds of each kind of process below another, with those that have ended."""
    found = dict.fromkeys(MODULES.values(), 0.0)
    for process in psutil.Process(pid).children(recursive=True):
        match process.cmdline():
            case [_, "-m", module, *_] if module in MODULES:
                found[MODULES[module]] += sum(process.cpu_times()[:4])
    return found

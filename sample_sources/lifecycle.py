"""Starts a sample system from any environment. Standard library only: every step calls it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from sample_sources.errors import SampleError
from sample_sources.folders import PROJECT_ROOT, local_dir

_START_SECONDS = 180


def ensure_running(system: str, *, current_url: Callable[[], str | None], needs: str) -> str:
    """Start a sample system unless it runs, and return its URL.

    The start happens in a process of its own, in an environment that holds what the
    system needs; of several at once, one starts it and the others wait for that.

    Args:
        system: The system's name, as `dp sample up` takes it.
        current_url: Returns the URL if the system answers there now, else None.
        needs: The package without which an environment cannot start the system.

    Raises:
        SampleError: There is no such environment, or the start failed.
    """
    if url := current_url():
        return url
    command = [str(_python_with(needs, system)), "-m", "sample_sources", "up", system]
    environment = {**os.environ, "DP_LOCAL_DIR": str(local_dir())}
    try:
        done = subprocess.run(
            command,
            cwd=PROJECT_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_START_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SampleError(f"{system} did not start within {_START_SECONDS} seconds.") from error
    if url := current_url():
        return url
    said = (done.stderr.strip() or done.stdout.strip())[-2000:]
    raise SampleError(f"{system} did not start (exit status {done.returncode}): {said}")


def _python_with(package: str, system: str) -> Path:
    if importlib.util.find_spec(package):
        return Path(sys.executable)
    host = PROJECT_ROOT / ".venvs" / "host" / "bin" / "python"
    if host.exists():
        return host
    raise SampleError(
        f"The sample system {system} needs the package {package}, which neither this environment "
        f"nor .venvs/host has. Run `make setup`, or set {system.upper()}_URL to a system of yours."
    )

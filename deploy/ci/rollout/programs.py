"""Runs the programs that roll out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.ci.command import CommandError, say

TIMEOUT_SECONDS = 1800


def run_program(
    root: Path, command: Sequence[str], environment: Mapping[str, str] | None = None
) -> None:
    """Say a command and run it; its output is this command's.

    Raises:
        CommandError: When it fails, is missing or takes too long.
    """
    _run(root, command, environment or {}, capture=False)


def read_program(root: Path, command: Sequence[str]) -> str:
    """Say a command, run it, and return what it prints.

    Raises:
        CommandError: As `run_program`.
    """
    return _run(root, command, {}, capture=True)


def _run(
    root: Path, command: Sequence[str], environment: Mapping[str, str], *, capture: bool
) -> str:
    say(f"$ {' '.join(command)}")
    # Where a program comes with this environment, that one need not be activated.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    try:
        done = subprocess.run(
            [shutil.which(command[0], path=path) or command[0], *command[1:]],
            cwd=root,
            env={**os.environ, "PATH": path, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture else None,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise CommandError(f"{command[0]} is not installed here") from None
    except subprocess.TimeoutExpired:
        raise CommandError(f"{command[0]} did not end within {TIMEOUT_SECONDS} s") from None
    if done.returncode != 0:
        raise CommandError(f"{command[0]} ended with {done.returncode}")
    return done.stdout or ""

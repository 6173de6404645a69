"""Starts `dagster dev`, whose end is sure: a guardian ends all of it when this process ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from factories.cli.serving.api import ApiError, DagsterApi
from factories.cli.serving.code_servers import reloaded_when_unreachable
from factories.cli.serving.dead_runs import end_dead_runs
from factories.cli.serving.fingerprint import take_fingerprint
from factories.cli.serving.guardian import end_session
from factories.cli.serving.served_instance import Served, forget_served, note_served
from factories.cli.serving.source_files import note_loaded
from factories.core.process_identity import SERVED_BY, SERVED_BY_VARIABLE, ProcessIdentity
from factories.core.project import MARKER
from factories.core.warehouse.settings import client_environment

GUARDIAN = "factories.cli.serving.guardian"
HOST = "127.0.0.1"


class DagsterProcessError(Exception):
    """There is no Dagster to use; the text says why."""


@dataclass(frozen=True)
class Starting:
    """A Dagster that is to be started.

    Attributes:
        command: The `dp` command that it is started by.
        root: The project's folder.
        home: The instance's folder.
        port: The webserver's port.
        lock: Of the instance; held until the last of Dagster's processes has ended.
    """

    command: str
    root: Path
    home: Path
    port: int
    lock: IO[str]

    @property
    def url(self) -> str:
        """The webserver's address."""
        return f"http://{HOST}:{self.port}"


@contextmanager
def started_dagster(
    starting: Starting,
    environment: Mapping[str, str],
    stdin: int | None = None,
    stdout: IO[str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Have a guardian run `dagster dev`; when this process ends, however it does, that ends too."""
    made_for = take_fingerprint(starting.root, starting.home)
    this = ProcessIdentity.of_this()
    note_loaded(starting.root, starting.home, this)
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "factories.cli.serving.guardian",
                str(reading),
                *_command(starting),
            ],
            cwd=starting.root,
            env={**environment, SERVED_BY_VARIABLE: str(this)},
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT if stdout else None,
            start_new_session=True,
            pass_fds=(reading, starting.lock.fileno()),
        )
    except OSError as error:
        raise DagsterProcessError(f"Dagster cannot be started: {error}") from None
    finally:
        os.close(reading)
    served = Served(starting.url, starting.command, this, process.pid, made_for)
    note_served(starting.home, served)
    ended_well = False
    try:
        api = DagsterApi(starting.url)
        with process, reloaded_when_unreachable(api, stdout or sys.stderr):
            try:
                yield process
                ended_well = _have_all_succeeded(starting, this)
            finally:
                with suppress(BrokenPipeError):  # it has ended by itself
                    os.write(writing, b"stop")
                os.close(writing)
    finally:
        if not ended_well:
            end_session(process.pid, marked=str(this))  # if the guardian was killed
            end_dead_runs(starting.home, gone=this)
        forget_served(starting.home)


def _have_all_succeeded(starting: Starting, this: ProcessIdentity) -> bool:
    """Tell whether no run is left to be cleared.

    Runs that go on, those of schedules or of the UI, end with this Dagster; one whose process was
    lost has failed, and may still hold its slot of a pool.
    """
    try:
        return not DagsterApi(starting.url).unsuccessful_runs({SERVED_BY: str(this)})
    except ApiError:
        return False


def _command(starting: Starting) -> list[str]:
    dagster = Path(sys.executable).with_name("dagster")
    workspace = ["-w", str(starting.root / MARKER)]
    options = ["-h", HOST, "-p", str(starting.port), "--log-level", "warning"]
    return [str(dagster), "dev", *workspace, *options]


def dagster_environment(home: Path) -> Mapping[str, str]:
    """Return this process's environment, as Dagster on an instance gets it."""
    own = {"DAGSTER_HOME": str(home), "PYTHONWARNINGS": "ignore"}
    return {**os.environ, **client_environment(), **own}

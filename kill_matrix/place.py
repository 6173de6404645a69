"""A project on a local folder of its own, which every case begins with as it was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

import dagster as dg
import psutil
import psycopg
import snowflake.connector

from factories.core.warehouse.connector_internals import abandon_connection
from kill_matrix.limits import FREE_SLOTS_SECONDS, LIMIT_SECONDS, NETWORK_TIMEOUT
from kill_matrix.projects.project import Project
from local_snowflake.process import control
from local_snowflake.target import connection_settings
from sample_sources.flight_ops.address import url as source_url
from sample_sources.systems import FLIGHT_OPS, SYSTEMS, WEATHER_API

ROOT = Path(__file__).parents[1]
DP = ROOT / ".venvs" / "host" / "bin" / "dp"
CLIENT_SECONDS = 30
TIMEOUTS = {
    "login_timeout": CLIENT_SECONDS,
    "network_timeout": CLIENT_SECONDS,
    "socket_timeout": CLIENT_SECONDS,
}
LOCATION = """\
from factories import build_definitions

defs = build_definitions({definitions})
"""
WORKSPACE = """\
load_from:
  - python_module:
      module_name: location
      attribute: defs
      location_name: shop
      executable_path: {python}
      working_directory: .
"""
REPEATED = "Dagster repeats it"  # what `dp run` says when a run has lost its process
SLOTS = "free_slots_after_run_end_seconds: "


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        status: Its exit status, negative for a signal; None when it did not end within its limit.
        seconds: How long it took.
        said: Why it, or an asset, failed; else what it said last.
    """

    status: int | None
    seconds: float
    said: str


class Command:
    """A `dp run` that goes on."""

    def __init__(self, process: subprocess.Popen[bytes], out: IO[bytes], err: IO[bytes]) -> None:
        """Take the process and the files that it writes to."""
        self.process = process
        self._out, self._err = out, err
        self._started = time.monotonic()

    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    def wait(self) -> Ended:
        """Wait until it has ended; it is killed when that takes too long."""
        try:
            status: int | None = self.process.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            status = None
            self.process.kill()
            self.process.wait()
        seconds = time.monotonic() - self._started
        return Ended(status, seconds, _sentence(_read(self._out), _read(self._err)))


@dataclass(frozen=True)
class Place:
    """Where a project runs.

    Attributes:
        folder: Everything of it.
        project: The project.
    """

    folder: Path
    project: Project

    @property
    def local(self) -> Path:
        """The local folder: warehouse, sample systems, Dagster's instance."""
        return self.folder / "local"

    @property
    def gate(self) -> Path:
        """The folder where the project's Python functions wait."""
        return self.folder / "gate"

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.folder / "project"

    @property
    def environment(self) -> dict[str, str]:
        """What every process is started with."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DP_", "DAGSTER", "SNOWFLAKE_", "FLIGHT_OPS", "WEATHER_API"))
        }
        return {
            **inherited,
            "DP_LOCAL_DIR": str(self.local),
            "DP_PROJECT_DIR": str(self.root),
            "DP_TARGET": "local",
            "DP_LOCAL_ANSWER_SECONDS": "5",
            "DP_LOCAL_IDLE_MINUTES": "5",
            "SNOWFLAKE_LOGIN_TIMEOUT": str(NETWORK_TIMEOUT),
            "SNOWFLAKE_NETWORK_TIMEOUT": str(NETWORK_TIMEOUT),
            "SNOWFLAKE_DISABLE_PLATFORM_DETECTION": "true",
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "NO_COLOR": "1",
            "PYTHONPATH": str(ROOT),
        }

    @contextmanager
    def systems(self) -> Iterator[None]:
        """Have this process, too, work on the local folder; its systems end with the block."""
        with patch.dict(os.environ, self.environment, clear=True):
            try:
                yield
            finally:
                for child in psutil.Process().children():  # a `dp run`, when this was interrupted
                    child.terminate()
                control.stop()
                for system in SYSTEMS:
                    system.down()

    def make(self) -> None:
        """Write the project, and load it for the first time, unless that was done."""
        base = self.folder / "base"
        if base.exists():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.gate.mkdir(parents=True)
        self._write()
        with self.systems():
            self._change(self.project.source, self.project.warehouse)
            ended = self.start(*self.project.first).wait()
            if ended.status != 0:
                raise RuntimeError(f"the first load of {self.project.tool} fails: {ended.said}")
        self._copy(self.local, base)

    def begin(self) -> None:
        """Go back to where the first load had ended, and let the source have changed since."""
        self._copy(self.folder / "base", self.local)

    def change(self) -> None:
        """Change what is read, as it changes between two loads."""
        self._change(self.project.source_changes, self.project.warehouse_changes)
        if self.project.tool == "dlt":
            WEATHER_API.up(lambda _: None)

    def start(self, *selection: str) -> Command:
        """Start `dp run`, as a person would."""
        out = (self.folder / "dp.out").open("w+b")
        err = (self.folder / "dp.err").open("w+b")
        process = subprocess.Popen(
            [str(DP), "run", *selection, "--json"],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        return Command(process, out, err)

    def connect(self) -> Any:
        """Open a session on the warehouse, which starts when it does not run."""
        return snowflake.connector.connect(
            **connection_settings(),
            **TIMEOUTS,
            session_parameters={"LOCK_TIMEOUT": CLIENT_SECONDS},
            log_imported_packages_in_telemetry=False,
        )

    def release(self, session: Any) -> None:
        """End a session; one whose warehouse was killed is left."""
        if control.status().running:
            session.cursor().execute("rollback")
            session.close()
        else:
            abandon_connection(session)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Query the warehouse."""
        with self.connect() as session:
            return [tuple(row) for row in session.cursor().execute(sql).fetchall()]

    def stuck(self) -> list[str]:
        """Return the runs that have not ended, and the pools whose slots are taken."""
        with dg.DagsterInstance.from_config(str(self.local / "dagster")) as instance:
            runs = [run for run in instance.get_runs() if not run.is_finished]
            found = [f"run {run.status.value}" for run in runs]
            storage = instance.event_log_storage
            for key in sorted(storage.get_concurrency_keys()):
                info = storage.get_concurrency_info(key)
                if info.active_slot_count or info.pending_step_count:
                    found.append(f"pool {key}")
        return found

    def _write(self) -> None:
        """Write the project's files."""
        python = ROOT / ".venvs" / self.project.environment / "bin" / "python"
        texts = {
            **{
                name: text.replace("{folder!r}", repr(str(self.gate)))
                for name, text in self.project.files.items()
            },
            "location.py": LOCATION.format(definitions=self.project.definitions),
            "workspace.yaml": WORKSPACE.format(python=python),
            "dagster.yaml": _with_soon_freed_slots((ROOT / "dagster.yaml").read_text()),
        }
        for name, text in texts.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        # As in a real project: handlers of the embedded warehouse run in its `ml`.
        environments = self.root / ".venvs"
        if not environments.exists():
            environments.symlink_to(ROOT / ".venvs")
        if self.project.tool == "dbt":
            command = [str(python), "-m", "factories.dbt.prepare", "shop"]
            subprocess.run(command, cwd=self.root, env=self.environment, check=True)

    def _change(self, source: Sequence[str], warehouse: Sequence[str]) -> None:
        if source:
            FLIGHT_OPS.up(lambda _: None)
            with psycopg.connect(source_url(), autocommit=True, connect_timeout=10) as connection:
                for statement in source:
                    connection.execute(statement.encode())
        with self.connect() as session:
            for statement in warehouse:
                session.cursor().execute(statement)

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        """Replace a folder by a copy of another, whose files keep their owners."""
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def _with_soon_freed_slots(text: str) -> str:
    """Return the project's `dagster.yaml`, with slots of pools that are freed sooner."""
    start, found, rest = text.partition(SLOTS)
    if not found:
        raise ValueError(f"dagster.yaml has no {SLOTS}")
    return f"{start}{found}{FREE_SLOTS_SECONDS}\n{rest.partition(chr(10))[2]}"


def _read(file: IO[bytes]) -> str:
    file.flush()
    file.seek(0)
    with file:
        return file.read().decode(errors="replace")


def _sentence(out: str, err: str) -> str:
    """Return why an asset failed, else that a run was repeated, else what was said last."""
    try:
        errors: list[str] = [row["error"] for row in json.loads(out) if row["error"]]
    except ValueError:
        errors = []
    lines = [line.strip() for line in (errors or [err])[0].splitlines() if line.strip()]
    if not lines:
        return ""
    repeated = [line for line in lines if REPEATED in line]
    return " ".join(lines) if errors else [*lines, *repeated][-1]

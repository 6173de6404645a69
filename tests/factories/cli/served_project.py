"""A project of plain Dagster assets, and the `dp` command on it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import psutil

from factories.cli.serving.dagster_process import find_dagster, find_free_port

ROOT = Path(__file__).parents[3]
WAIT_SECONDS = 240
WORKSPACE = """
    load_from:
      - python_module:
          module_name: plain_location
          attribute: defs
          location_name: plain
          executable_path: PYTHON
          working_directory: .
"""
T = TypeVar("T")


@dataclass(frozen=True)
class Project:
    """A project with one code location, and `dp` for it.

    Attributes:
        root: Its folder.
        environment: What `dp` is started with.
    """

    root: Path
    environment: dict[str, str] = field(repr=False)

    @property
    def home(self) -> Path:
        """The folder of its Dagster instance."""
        return Path(self.environment["DP_LOCAL_DIR"]) / "dagster"

    def start(self, *arguments: str, **changes: str) -> subprocess.Popen[str]:
        """Start `dp`, in a session of its own."""
        return subprocess.Popen(
            [sys.executable, "-c", "from factories.cli.main import main; main()", *arguments],
            cwd=self.root,
            env={**self.environment, **changes},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def dp(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run `dp` to its end."""
        process = self.start(*arguments, **changes)
        try:
            out, err = process.communicate(timeout=WAIT_SECONDS)
        finally:
            process.kill()
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def run(self, *selection: str) -> tuple[int, dict[str, dict[str, Any]]]:
        """Run assets; return the exit status, and a row for each asset."""
        done = self.dp("run", *selection, "--json")
        assert done.stdout, done.stderr
        return done.returncode, {row["asset"]: row for row in json.loads(done.stdout)}

    def run_statuses(self) -> list[str]:
        """How the runs of the instance stand, the oldest first."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            return [run.status.value for run in instance.get_runs(ascending=True)]

    def slots_taken(self) -> int:
        """How many slots of the pool `slow` are taken."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            return instance.event_log_storage.get_concurrency_info("slow").active_slot_count

    def processes(self) -> list[psutil.Process]:
        """Whatever was started for this project, and lives."""
        return [each for each in psutil.process_iter() if self._owns(each)]

    def _owns(self, process: psutil.Process) -> bool:
        try:
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                return False
            return process.environ().get("DP_LOCAL_DIR") == self.environment["DP_LOCAL_DIR"]
        except psutil.Error:
            return False

    @contextmanager
    def served(self, **changes: str) -> Iterator[subprocess.Popen[str]]:
        """Have `dp dev` serve the project."""
        process = self.start("dev", "--port", str(find_free_port()), **changes)
        try:
            wait_for(
                lambda: find_dagster(self.home) or process.poll() is not None, until="dp dev serves"
            )
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.communicate(timeout=WAIT_SECONDS)


def make_project(folder: Path, location: str) -> Project:
    """Write a project with one code location."""
    root = folder / "project"
    root.mkdir()
    texts = {
        "plain_location.py": location,
        "workspace.yaml": WORKSPACE.replace("PYTHON", sys.executable),
    }
    for name, text in texts.items():
        (root / name).write_text(textwrap.dedent(text))
    shutil.copyfile(ROOT / "dagster.yaml", root / "dagster.yaml")
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("DP_", "DAGSTER"))
    }
    environment = {
        **inherited,
        "DP_LOCAL_DIR": str(folder / "local"),
        "DP_PROJECT_DIR": str(root),
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT),
    }
    return Project(root, environment)


def wait_for(what: Callable[[], T], *, until: str) -> T:
    """Ask again and again until there is an answer."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := what()):
        assert time.monotonic() < deadline, f"not within {WAIT_SECONDS} s: {until}"
        time.sleep(0.3)  # a look at all processes takes a while
    return found

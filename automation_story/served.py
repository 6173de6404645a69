"""A project in a folder of its own, and the `dp dev` that serves it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from automation_story.story import Story
from factories.cli.serving.api import DagsterApi
from factories.cli.serving.dagster_process import find_dagster, find_free_port
from kill_matrix.processes import command_line, processes_of

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venvs" / "test" / "bin" / "python"
STOP_SECONDS = 120
OF_OTHERS = ("DP_", "DAGSTER", "SNOWFLAKE_", "FLIGHT_OPS", "WEATHER_API")


class ServedProject:
    """Where a project lies, and how it is served."""

    def __init__(self, story: Story, root: Path, local: Path, variables: Mapping[str, str]) -> None:
        """Take the folders; nothing is started.

        Args:
            story: Is told when it serves.
            root: The project's folder.
            local: The local folder: Dagster's instance, the warehouse, the sample systems.
            variables: Further environment variables.
        """
        self.root = root
        self.local = local
        self.home = local / "dagster"
        self._story = story
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(OF_OTHERS)}
        self.environment = {
            **inherited,
            "DP_LOCAL_DIR": str(local),
            "DP_PROJECT_DIR": str(root),
            "PYTHONPATH": str(ROOT),
            "NO_COLOR": "1",
            **variables,
        }

    @property
    def dp(self) -> str:
        """The program `dp`."""
        return str(PYTHON.with_name("dp"))

    @contextmanager
    def served(self) -> Iterator[subprocess.Popen[bytes]]:
        """Have `dp dev` serve the project."""
        self.local.mkdir(exist_ok=True)
        with (self.local / "dev.log").open("a") as log:
            process = subprocess.Popen(
                [self.dp, "dev", "--port", str(find_free_port())],
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                self._story.wait_for(self._serves, "dp dev serves the project")
                yield process
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
                process.wait(STOP_SECONDS)

    def _serves(self) -> bool:
        return find_dagster(self.home) is not None

    def api(self) -> DagsterApi:
        """Return the webserver that serves the project.

        Raises:
            ValueError: When none does.
        """
        api = find_dagster(self.home)
        if api is None:
            raise ValueError("no webserver answers")
        return api

    def kill(self, *texts: str) -> int:
        """Kill the processes of this project whose command line has all texts; return how many."""
        found = [
            each
            for each in processes_of(self.local)
            if (line := command_line(each)) and all(text in line for text in texts)
        ]
        kill(found)
        return len(found)


def kill(processes: list[psutil.Process]) -> None:
    """Kill processes (SIGKILL); one may have ended with another."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()

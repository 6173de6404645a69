"""The processes of `deploy/processes/Procfile`, on free ports and a small project."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil
import yaml
from dagster._grpc.client import DagsterGrpcClient  # what the webserver and the daemon ask with

from factories.cli.serving.api import FINAL, ApiError, AssetNode, DagsterApi
from factories.cli.serving.dagster_process import find_free_port

ROOT = Path(__file__).parents[2]
PROCESSES = ROOT / "deploy" / "processes"
LOCATIONS = ("ingestion", "transformation", "ml")
WAIT_SECONDS = 240
T = TypeVar("T")


@dataclass
class Topology:
    """Code servers, webserver and daemon that run.

    Attributes:
        project: The folder with a module for each code location.
        ports: By the names of Procfile.
        processes: By the same names.
    """

    project: Path
    ports: Mapping[str, int]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def api(self) -> DagsterApi:
        """The webserver."""
        return DagsterApi(f"http://127.0.0.1:{self.ports['webserver']}")

    def node(self, key: str) -> AssetNode | None:
        """Return an asset, if a loaded code location has it."""
        return next((node for node in self.api.assets() if node.key == key), None)

    def launch(self, *keys: str) -> str:
        """Launch a run over assets of one code location, and return its id."""
        nodes = [node for node in self.api.assets() if node.key in keys]
        return self.api.launch(nodes, {})

    def wait_for_run(self, run_id: str) -> str:
        """Return how a run has ended."""

        def status() -> str | None:
            found = self.api.run(run_id, None).status
            return found if found in FINAL else None

        return wait_for(status, until=f"run {run_id} has ended")

    def run(self, *keys: str) -> str:
        """Run assets of one code location; return how that ended."""
        return self.wait_for_run(self.launch(*keys))

    def redeploy(self, location: str, text: str, new_asset: str) -> float:
        """Give a code location new code; return the seconds until the UI has its new asset."""
        started = time.monotonic()
        (self.project / f"{location}.py").write_text(text)
        self.api.reload_location(location)
        wait_for(lambda: self.node(new_asset), until=f"{location} has {new_asset}")
        return time.monotonic() - started

    def server_pids(self, location: str) -> list[int]:
        """Return the processes of a code server: first that with the port, last that with new code.

        Between them are those with former code, which have not ended yet.
        """
        outer = psutil.Process(self.processes[location].pid)
        inner = [each for each in outer.children() if "grpc" in each.cmdline()]
        return [outer.pid, *(each.pid for each in sorted(inner, key=psutil.Process.create_time))]


class Watch:
    """Asks every code server again and again whether it is there."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        """Take the ports by location; `running` begins."""
        self._ports = ports
        self._stop = threading.Event()
        self.asked: dict[str, int] = dict.fromkeys(LOCATIONS, 0)
        self.failures: list[tuple[str, float, str]] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ask while the block runs; one thread each, so that no location waits for another."""
        threads = [
            threading.Thread(target=self._ask, args=(name,), daemon=True) for name in LOCATIONS
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(WAIT_SECONDS)

    def outages(self, location: str, since: float, until: float) -> list[str]:
        """Return the errors of a location between two moments of the monotonic clock."""
        of_location = [(at, said) for name, at, said in self.failures if name == location]
        return [said for at, said in of_location if since <= at <= until]

    def _ask(self, location: str) -> None:
        client = DagsterGrpcClient(port=self._ports[location], host="127.0.0.1")
        while not self._stop.wait(0.25):
            try:
                # Through the process that has the port to the one that has the code.
                client.ping("")  # gives up after a minute: a busy machine is no outage
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody has answered
                self.failures.append((location, time.monotonic(), str(error)))
            self.asked[location] += 1


def wait_for(what: Callable[[], T | None], *, until: str) -> T:
    """Ask again and again until there is an answer."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        with suppress(ApiError):  # the webserver is about to start
            if found := what():
                return found
        assert time.monotonic() < deadline, f"not within {WAIT_SECONDS} s: {until}"
        time.sleep(0.1)


@contextmanager
def started_topology(project: Path, home: Path) -> Iterator[Topology]:
    """Start every process of Procfile, wait until all locations are loaded, and end them after.

    Args:
        project: Has a module for each code location.
        home: The folder of the Dagster instance, with its `dagster.yaml`.
    """
    names = [name for name, _ in _read_procfile()]
    ports = {name: find_free_port() for name in names if name != "daemon"}
    workspace = home / "workspace.yaml"
    workspace.write_text(_workspace(ports))
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    topology = Topology(project, ports)
    try:
        for name, command in _read_procfile():
            with (home / f"{name}.log").open("wb") as log:
                topology.processes[name] = subprocess.Popen(
                    _here(name, command, ports, project, workspace),
                    cwd=ROOT,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        wait_for(lambda: _are_loaded(topology), until="every code location is loaded")
        yield topology
    finally:
        _end(topology.processes.values())


def _read_procfile() -> list[tuple[str, list[str]]]:
    lines = (PROCESSES / "Procfile").read_text().splitlines()
    named = (line.split(":", 1) for line in lines if not line.startswith("#"))
    return [(name, shlex.split(command)) for name, command in named]


def _workspace(ports: Mapping[str, int]) -> str:
    workspace = yaml.safe_load((PROCESSES / "workspace.yaml").read_text())
    for entry in workspace["load_from"]:
        entry["grpc_server"]["port"] = ports[entry["grpc_server"]["location_name"]]
    return yaml.safe_dump(workspace)


def _here(
    name: str, command: list[str], ports: Mapping[str, int], project: Path, workspace: Path
) -> list[str]:
    """Return a command of Procfile with the programs, ports and files of this test."""
    program = Path(sys.executable).with_name(Path(command[0]).name)
    changed = {
        "--port": str(ports.get(name)),
        "--working-directory": str(project),
        "--module-name": name,
        "--workspace": str(workspace),
    }
    options = zip(["", *command[1:]], command[1:], strict=False)
    return [str(program), *(changed.get(before, word) for before, word in options)]


def _are_loaded(topology: Topology) -> bool:
    for name, process in topology.processes.items():
        assert process.poll() is None, f"{name} has ended with {process.returncode}"
    return {node.location for node in topology.api.assets()} == set(LOCATIONS)


def _end(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    """Kill the processes, with all that they have started; a tidy end takes ten seconds."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(WAIT_SECONDS)

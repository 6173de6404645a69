"""A run whose code server was started again is lost, and Dagster is told."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin
from dagster._core.remote_representation.code_location import GrpcServerCodeLocation
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.test_utils import create_run_for_test

from factories.core.execution.code_server_launcher import CodeServerRunLauncher

SECONDS = 60
CODE = """
    import time

    import dagster as dg

    @dg.op
    def waits():
        time.sleep(600)

    @dg.job(executor_def=dg.in_process_executor)
    def waiting():
        waits()

    defs = dg.Definitions(jobs=[waiting])
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


class Server:
    """A code server, whose runs end with it as with a container."""

    def __init__(self, folder: Path, port: int) -> None:
        command = ["-m", "dagster", "api", "grpc", "--python-file", "waiting.py"]
        address = ["--host", "127.0.0.1", "--port", str(port)]
        self._port = port
        self._process = subprocess.Popen(
            [sys.executable, *command, *address],
            cwd=folder,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._listens, "the code server listens")

    def _listens(self) -> bool:
        assert self._process.poll() is None
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=5):
            return True
        return False

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.mark.programs
def test_run_is_lost_once_another_server_has_taken_the_place_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "waiting.py").write_text(textwrap.dedent(CODE))
    port = free_port()
    server = Server(tmp_path, port)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        launcher = CodeServerRunLauncher()
        launcher.register_instance(instance)
        try:
            run_id = start_run(instance, launcher, port)
            wait_for(lambda: status(instance, run_id) is dg.DagsterRunStatus.STARTED, "it runs")
            with_it = health(instance, launcher, run_id)
            server.kill()
            without_any = health(instance, launcher, run_id)
            server = Server(tmp_path, port)
            with_another = health(instance, launcher, run_id)
        finally:
            server.kill()

    assert launcher.supports_check_run_worker_health
    assert with_it.status is WorkerStatus.RUNNING
    assert without_any.status is WorkerStatus.RUNNING
    assert with_another == CheckRunHealthResult(
        WorkerStatus.FAILED,
        "its code server was started again, and the run ended with the former one",
    )


def start_run(instance: dg.DagsterInstance, launcher: CodeServerRunLauncher, port: int) -> str:
    """Launch a run of the one job, as the daemon does."""
    origin = GrpcServerCodeLocationOrigin(host="127.0.0.1", port=port, location_name="waiting")
    location = GrpcServerCodeLocation(origin, instance)
    (repository,) = location.get_repositories().values()
    job = repository.get_full_job("waiting")
    run = create_run_for_test(
        instance,
        job_name="waiting",
        remote_job_origin=job.get_remote_origin(),
        job_code_origin=job.get_python_origin(),
    )
    launcher.launch_run_from_grpc_client(instance, run, location.client)
    return run.run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run
    return run.status


def health(
    instance: dg.DagsterInstance, launcher: CodeServerRunLauncher, run_id: str
) -> CheckRunHealthResult:
    run = instance.get_run_by_id(run_id)
    assert run
    return launcher.check_run_worker_health(run)


@pytest.mark.parametrize(
    "tags", [{}, {GRPC_INFO_TAG: json.dumps({"host": "127.0.0.1", "port": free_port()})}]
)
def test_nothing_is_said_of_a_run_whose_server_cannot_be_asked(tags: dict[str, str]) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.add_run(dg.DagsterRun("job", status=dg.DagsterRunStatus.STARTED, tags=tags))
        launcher = CodeServerRunLauncher()
        launcher.register_instance(instance)

        assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING

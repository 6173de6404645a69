from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from sample_sources.flight_ops import url
from sample_sources.flight_ops.system import FlightOps


@pytest.fixture(scope="session")
def shared_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A local folder whose flight_ops is filled once; tests leave its data as they found them."""
    folder = tmp_path_factory.mktemp("shared")
    yield folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DP_LOCAL_DIR", str(folder))
        FlightOps().reset()


@pytest.fixture
def filled_dir(shared_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The local folder in use is the one whose flight_ops is filled and at the start."""
    monkeypatch.setenv("DP_LOCAL_DIR", str(shared_dir))
    url()
    return shared_dir


@pytest.fixture
def flights(filled_dir: Path) -> Iterator[psycopg.Connection]:
    """A connection to the filled database as it is at the start; whatever is done is undone."""
    with (
        psycopg.connect(url(), connect_timeout=10) as connection,
        connection.transaction(force_rollback=True),
    ):
        yield connection


@pytest.fixture
def own_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty local folder of the test's own."""
    monkeypatch.setenv("DP_LOCAL_DIR", str(tmp_path))
    yield tmp_path
    FlightOps().reset()


@pytest.fixture
def sample() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `python -m sample_sources` with the given arguments, in the current environment."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "sample_sources", *arguments]
        process = subprocess.Popen(
            command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()

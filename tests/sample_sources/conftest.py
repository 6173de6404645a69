from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from sample_sources.flight_ops import url
from sample_sources.flight_ops.system import FlightOps
from sample_sources.weather_api import url as weather_url
from sample_sources.weather_api.address import current_url
from sample_sources.weather_api.system import WeatherApi
from tests.sample_sources.weather import Service


@contextmanager
def temporary_local_dir() -> Iterator[Path]:
    # Not pytest's: every pytest that starts closes the parent of all its folders to other users,
    # and so to the one who runs the server for root.
    with tempfile.TemporaryDirectory(prefix="dp-") as name, pytest.MonkeyPatch.context() as patch:
        yield Path(name)
        patch.setenv("DP_LOCAL_DIR", name)
        FlightOps().reset()
        WeatherApi().reset()


@pytest.fixture(scope="session")
def shared_dir() -> Iterator[Path]:
    """A local folder whose flight_ops is filled once; tests leave its data as they found them."""
    with temporary_local_dir() as folder:
        yield folder


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
def own_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty local folder of the test's own."""
    with temporary_local_dir() as folder:
        monkeypatch.setenv("DP_LOCAL_DIR", str(folder))
        yield folder


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


@pytest.fixture(scope="session")
def weather_dir() -> Iterator[Path]:
    """A local folder whose weather_api runs and whose flight_ops was never there."""
    with temporary_local_dir() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DP_LOCAL_DIR", str(folder))
        weather_url()
        patch.undo()
        yield folder


@pytest.fixture
def weather(weather_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The service of `weather_dir`, at the start of the clock and without faults."""
    monkeypatch.setenv("DP_LOCAL_DIR", str(weather_dir))
    address = current_url()
    assert address
    yield Service(address)
    WeatherApi().switch_faults([])
    shutil.rmtree(weather_dir / "flight_ops", ignore_errors=True)

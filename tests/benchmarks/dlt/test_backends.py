"""The pipeline files that the benchmark of backends writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.dlt.backends import BACKENDS, connectorx_url, write_project
from factories.definitions import read_project

URL = "postgresql://postgres:@/postgres?host=/tmp/some%20folder"


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_has_a_valid_pipeline(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(tmp_path, backend)
    monkeypatch.setenv("DP_PROJECT_DIR", str(tmp_path))
    monkeypatch.setenv("FLIGHT_OPS_URL", URL)
    monkeypatch.setenv("CONNECTORX_URL", connectorx_url(URL))

    build, assets = read_project(dlt="dlt_pipelines")

    assert not build.problems
    assert len(assets) == 2  # the table's asset and its source


def test_connectorx_finds_the_socket_where_the_host_stands() -> None:
    assert connectorx_url(URL) == "postgresql://postgres@%2Ftmp%2Fsome%20folder/postgres"

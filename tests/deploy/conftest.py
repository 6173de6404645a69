"""An embedded PostgreSQL, for Dagster's storage."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sample_sources.flight_ops.postgres import EmbeddedPostgres


@pytest.fixture(scope="module")
def postgres_socket() -> Iterator[Path]:
    """The folder with the socket of an embedded PostgreSQL.

    Not below pytest's own folder: as root, its server is another user, whom each pytest that starts
    shuts out of there.
    """
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        server.create()
        yield server.start()
        server.remove()

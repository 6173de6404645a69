"""The servers of a benchmark: its own, in a temporary folder, gone when it ends."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from factories.core.warehouse.names import RAW
from factories.core.warehouse.settings import (
    WarehouseSettings,
    client_environment,
    warehouse_settings,
)
from local_snowflake.process import control
from sample_sources.systems import SYSTEMS

ROOT = Path(__file__).parents[1]
DP = ROOT / ".venvs" / "host" / "bin" / "dp"
INGESTION_PYTHON = ROOT / ".venvs" / "ingestion" / "bin" / "python"
ML_PYTHON = ROOT / ".venvs" / "ml" / "bin" / "python"
TRANSFORMATION_PYTHON = ROOT / ".venvs" / "transformation" / "bin" / "python"


@contextmanager
def own_systems() -> Iterator[tuple[WarehouseSettings, Path]]:
    """Start a warehouse in a temporary folder; a sample system starts when its URL is asked for."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        chosen = {
            "DP_TARGET": "local",
            "DP_LOCAL_DIR": str(folder),
            "SLING_DISABLE_TELEMETRY": "TRUE",
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        }
        with patch.dict(os.environ, {**client_environment(), **chosen}):
            try:
                yield warehouse_settings(), folder
            finally:
                control.stop()
                for system in SYSTEMS:
                    system.down()


def dagster_home(folder: Path) -> Path:
    """Make a Dagster instance as the project's `dagster.yaml` has it."""
    home = folder / "dagster"
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    return home


def drop_schema(settings: WarehouseSettings, schema: str) -> None:
    """Drop a schema, and the one in which dlt stages its rows."""
    for name in (schema, f"{schema}_staging"):
        query(settings, f"drop schema if exists {RAW}.{name} cascade")


def row_count(settings: WarehouseSettings, schema: str, table: str) -> int:
    """Return how many rows a loaded table has."""
    return int(query(settings, f"select count(*) from {RAW}.{schema}.{table}")[0][0])


def query(settings: WarehouseSettings, sql: str) -> list[tuple[Any, ...]]:
    """Run a statement in a session of its own, return its rows."""
    with closing(settings.connect(RAW)) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())

"""dlt pipelines that load the embedded warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.common.pipeline import LoadInfo

from tests.conftest import WarehouseUnderTest


class Ads:
    """A pipeline whose local folder can be lost, and the rows that it has loaded.

    Attributes:
        root: A folder of the test's own.
        url: The credentials of the destination.
    """

    def __init__(self, root: Path, warehouse: WarehouseUnderTest, database: str) -> None:
        settings = warehouse.settings
        self.root = root
        self.url = (
            f"snowflake://dp:{settings['password']}@fakesnow/{database}"
            f"?warehouse=wh&host=127.0.0.1&port={settings['port']}&protocol=http"
            "&login_timeout=20&network_timeout=60"
        )
        self._warehouse = warehouse
        self._database = database

    def load(self, rows: Any, file_format: str, *, folder: str = "dlt", **hints: Any) -> None:
        """Load rows into the table `things`."""
        self.run(dlt.resource(rows, name="things", **hints), file_format, folder=folder)

    def run(self, source: Any, file_format: str, *, folder: str = "dlt", **run: Any) -> LoadInfo:
        """Load resources into the dataset `ads`."""
        pipeline = dlt.pipeline(
            "ads",
            destination="snowflake",
            dataset_name="ads",
            pipelines_dir=str(self.root / folder),
        )
        info = pipeline.run(source, loader_file_format=file_format, **run)
        info.raise_on_failed_jobs()
        return info

    def rows(self, sql: str, **changes: Any) -> list[tuple[Any, ...]]:
        """Query the dataset."""
        place = {"database": self._database, "schema": "ADS", **changes}
        return self._warehouse.rows(sql, **place)


@pytest.fixture
def ads(
    warehouse: WarehouseUnderTest, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Ads:
    made = Ads(tmp_path, warehouse, database)
    monkeypatch.setenv("DESTINATION__SNOWFLAKE__CREDENTIALS", made.url)
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    # A load that fails is told at once, and not after its fifth try.
    monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "1")
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
    return made

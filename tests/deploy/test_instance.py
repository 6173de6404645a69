"""deploy/dagster.yaml: the instance that Dagster makes of it, with PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.instance.config import dagster_instance_config
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster_postgres import DagsterPostgresStorage
from sqlalchemy import create_engine

from factories.core.execution.code_server_launcher import CodeServerRunLauncher
from factories.core.execution.instance import PlatformInstance
from factories.core.execution.run_coordinator import TellingRunCoordinator
from tests.deploy.charts import read_values

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="module")
def postgres_url(postgres_socket: Path) -> str:
    """An embedded PostgreSQL, as SQLAlchemy calls it by the driver that Compose names."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    scheme, _, _ = compose["x-dagster-storage"]["DAGSTER_POSTGRES_URL"].partition("://")
    return f"{scheme}://postgres@/postgres?host={postgres_socket}"


@pytest.mark.programs
def test_instance_of_production_is_made_of_the_file(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", postgres_url)
    monkeypatch.setenv("DAGSTER_DATA_DIR", str(tmp_path))
    before = set(DEPLOY.rglob("*"))
    instance = dg.DagsterInstance.from_config(str(DEPLOY))
    try:
        storage = instance._ref.storage if instance._ref else None
        run_id = instance.add_run(dg.DagsterRun("job")).run_id

        assert isinstance(instance, PlatformInstance)
        assert isinstance(storage, DagsterPostgresStorage)
        # Of those that the tests' environment has, the one that dagster-postgres brings.
        assert storage.run_storage._engine.driver == "psycopg2"
        assert isinstance(instance.run_coordinator, TellingRunCoordinator)
        assert isinstance(instance.run_launcher, CodeServerRunLauncher)
        assert isinstance(instance.compute_log_manager, LocalComputeLogManager)
        assert instance.storage_directory() == str(tmp_path / "storage")
        assert instance.get_run_by_id(run_id)
        queue = instance.get_concurrency_config().run_queue_config
        assert queue
        assert queue.max_concurrent_runs == 8
        assert set(DEPLOY.rglob("*")) == before  # a container may not write beside the file
    finally:
        instance.dispose()


def settings(text: dict[str, Any]) -> dict[str, Any]:
    """What both ways of production choose, without the number of runs that they hold."""
    both = ("concurrency", "instance_class", "nux", "retention", "run_monitoring", "run_retries")
    chosen = {name: text[name] for name in both}
    return {**chosen, "concurrency": chosen["concurrency"]["pools"]}


def test_one_machine_and_kubernetes_have_the_same_settings() -> None:
    one_machine = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())

    assert settings(one_machine) == settings(read_values("dagster")["additionalInstanceConfig"])


def test_both_name_the_driver_of_postgresql() -> None:
    scheme = read_values("dagster")["postgresql"]["postgresqlScheme"]

    assert create_engine(f"{scheme}://").driver == "psycopg2"


def test_production_treats_runs_as_a_laptop_does() -> None:
    laptop, _ = dagster_instance_config(str(ROOT))
    production, _ = dagster_instance_config(str(DEPLOY))

    alike = ("instance_class", "nux", "retention", "run_coordinator", "run_retries", "telemetry")
    for name in alike:
        assert production[name] == laptop[name], name
    assert production["concurrency"]["pools"] == laptop["concurrency"]["pools"]
    assert production["run_monitoring"].items() >= laptop["run_monitoring"].items()

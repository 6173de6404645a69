"""A project whose pipelines a test writes, the warehouse they load, and the sample weather API."""

from __future__ import annotations

import textwrap
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import dagster as dg
import pytest
from snowflake.connector import SnowflakeConnection

from factories.core.assets.context import LoadContext
from factories.core.warehouse.names import warehouse_names
from factories.core.yaml.problems import format_problems
from factories.definitions import read_project
from factories.location_defaults import default_resources
from sample_sources import weather_api
from sample_sources.weather_api.system import WeatherApi
from tests.conftest import WarehouseUnderTest
from tests.factories.conftest import Source


@dataclass
class Project:
    """A project folder, a Dagster instance, and the warehouse that its pipelines load.

    Attributes:
        root: The folder.
        dataset: The dataset, and schema, of the test's own; `{d}` stands for it in texts.
        warehouse: The embedded warehouse.
        instance: Dagster's.
        results: What ran so far.
    """

    root: Path
    dataset: str
    warehouse: WarehouseUnderTest
    instance: dg.DagsterInstance
    results: list[dg.ExecuteInProcessResult] = field(default_factory=list)

    def pipeline(self, text: str, name: str = "shop") -> Path:
        """Write `dlt_pipelines/<name>.yaml`; without a head it gets pipeline and dataset."""
        body = textwrap.dedent(text).replace("{d}", self.dataset)
        if "pipeline:" not in body:
            body = f"pipeline: {name}\ndataset: {self.dataset}\n{body}"
        path = self.root / "dlt_pipelines" / f"{name}.yaml"
        path.write_text(body)
        return path

    def module(self, text: str, name: str = "shop") -> Path:
        """Write `dlt_pipelines/<name>.py`."""
        path = self.root / "dlt_pipelines" / f"{name}.py"
        path.write_text(textwrap.dedent(text))
        return path

    def assets(self) -> list[dg.AssetsDefinition | dg.AssetSpec]:
        load_context, assets = self.read()
        assert not load_context.problems, format_problems(load_context.problems)
        return assets

    def problems(self) -> list[str]:
        return [str(problem) for problem in self.read()[0].problems]

    def read(self) -> tuple[LoadContext, list[dg.AssetsDefinition | dg.AssetSpec]]:
        return read_project(dlt="dlt_pipelines")

    def run(self, *selection: str, **options: object) -> dg.ExecuteInProcessResult:
        """Materialize assets, by the last part of their keys, or all of them."""
        assets = self.assets()
        keys = [
            key
            for asset in assets
            if isinstance(asset, dg.AssetsDefinition)
            for key in asset.keys
            if key.path[-1] in selection
        ]
        assert len(keys) == len(selection)
        result = dg.materialize(
            assets,
            selection=keys or None,
            instance=self.instance,
            resources=default_resources(warehouse_names()),
            raise_on_error=False,
            **options,
        )
        self.results.append(result)
        return result

    def full_refresh(self, step: str, *selection: str) -> dg.ExecuteInProcessResult:
        config = {"ops": {step: {"config": {"full_refresh": True}}}}
        return self.run(*selection, run_config=config)

    @cached_property
    def connection(self) -> SnowflakeConnection:
        """For all questions to the warehouse: a login takes longer than most of the answers."""
        return self.warehouse.connect(database="RAW")

    def close(self) -> None:
        """End the session, if there is one."""
        if "connection" in self.__dict__:
            self.connection.close()

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Query the warehouse; `{d}` stands for the dataset."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql.replace("{d}", self.dataset))
            return cursor.fetchall()

    def count(self, table: str) -> int:
        return int(str(self.rows(f"select count(*) from {{d}}.{table}")[0][0]))

    def has_table(self, table: str) -> bool:
        found = self.rows(
            "select 1 from RAW.information_schema.tables"
            f" where table_schema = upper('{{d}}') and table_name = upper('{table}')"
        )
        return bool(found)

    def messages(self) -> str:
        """What a person reads in the last run's log."""
        events = self.instance.all_logs(self.results[-1].run_id)
        return "\n".join(event.user_message for event in events)

    def failure(self) -> str:
        """Why the last run's only failed step failed."""
        (event,) = (e for e in self.results[-1].all_events if e.is_step_failure)
        error = event.step_failure_data.error
        return error.cause.message if error.cause else error.message

    def log(self) -> str:
        """Everything that the last run left in the event storage."""
        events = self.instance.all_logs(self.results[-1].run_id)
        return "\n".join(f"{event.user_message} {event!r}" for event in events)


def materialized(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, object]]:
    """The metadata of each materialized asset, by the last part of its key."""
    return {
        event.materialization.asset_key.path[-1]: {
            key: value.value for key, value in event.materialization.metadata.items()
        }
        for event in result.get_asset_materialization_events()
    }


@contextmanager
def project_in(root: Path, warehouse: WarehouseUnderTest) -> Iterator[Project]:
    """A project in a folder, which is that of this process meanwhile."""
    (root / "dlt_pipelines").mkdir()
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("DP_PROJECT_DIR", str(root))
        made = Project(root, f"d{uuid.uuid4().hex[:8]}", warehouse, instance)
        yield made
        made.rows("drop schema if exists {d} cascade")  # the catalog is searched all the time
        made.close()


@pytest.fixture
def project(warehouse: WarehouseUnderTest, tmp_path: Path) -> Iterator[Project]:
    """A project of the test's own."""
    with project_in(tmp_path, warehouse) as made:
        yield made


@pytest.fixture(scope="module")
def shared_project(
    warehouse: WarehouseUnderTest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """A project whose loads several tests look at, or load on top of one another."""
    with project_in(tmp_path_factory.mktemp("shared"), warehouse) as made:
        yield made


@pytest.fixture
def source(postgres: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """An empty schema of a PostgreSQL, whose address is `${SHOP_URL}` and name `${SHOP_SCHEMA}`."""
    made = Source(postgres, f"s{uuid.uuid4().hex[:8]}")
    made.execute("create schema {s}")
    monkeypatch.setenv("SHOP_URL", made.url)
    monkeypatch.setenv("SHOP_SCHEMA", made.schema)
    yield made
    made.execute("drop schema {s} cascade")


@pytest.fixture(scope="session")
def weather_url(warehouse: WarehouseUnderTest) -> Iterator[str]:
    """The sample weather API, in the warehouse's local folder; one per xdist worker."""
    assert warehouse
    yield weather_api.url()
    WeatherApi().down()

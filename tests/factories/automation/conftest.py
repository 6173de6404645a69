"""A code location with automation files, whose ticks a test evaluates as Dagster's daemon does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pytest

from factories import build_definitions
from factories.core.yaml.problems import ConfigError
from tests.factories.conftest import YamlProject

# Assets with the config, partitions and key of what YAML may run.
ASSETS = """
import dagster as dg

class Load(dg.Config):
    path: str = ""
    paths: list[str] = []
    payload: dict = {}
    number: int = 0

@dg.asset(group_name="raw")
def load(context: dg.AssetExecutionContext, config: Load) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"path": config.path, "number": config.number})

@dg.asset(group_name="marts", deps=[load])
def mart() -> None: ...

@dg.asset(group_name="days", partitions_def=dg.DailyPartitionsDefinition("2024-01-01"))
def daily() -> None: ...

@dg.asset(group_name="days", partitions_def=daily.partitions_def, deps=[daily])
def daily_sum() -> None: ...

@dg.asset(group_name="hours", partitions_def=dg.HourlyPartitionsDefinition("2024-01-01-00:00"))
def hourly() -> None: ...

@dg.asset(group_name="fixed", partitions_def=dg.StaticPartitionsDefinition(["ewr", "jfk"]))
def fixed() -> None: ...

@dg.asset(group_name="files", partitions_def=dg.DynamicPartitionsDefinition(name="files"))
def by_file() -> None: ...

python_job = dg.define_asset_job("python_job", [mart])
"""
RUN_KEY = "dagster/run_key"


@dataclass
class Location:
    """A code location `shop` whose assets are Python's, and the state that Dagster keeps of it.

    Attributes:
        project: The project folder.
        instance: Dagster's.
        cursors: What each sensor remembers.
    """

    project: YamlProject
    instance: dg.DagsterInstance
    cursors: dict[str, str | None] = field(default_factory=dict)
    _loaded: dg.Definitions | None = None

    def write(self, text: str, name: str = "automation.yaml") -> None:
        self.project.write(f"shop/{name}", text)
        self._loaded = None

    @property
    def definitions(self) -> dg.Definitions:
        if self._loaded is None:
            self._loaded = build_definitions(automation="shop", defs="defs")
        return self._loaded

    def problems(self, **arguments: Any) -> list[str]:
        with pytest.raises(ConfigError) as error:
            build_definitions(**{"automation": "shop", "defs": "defs", **arguments})
        return [str(problem) for problem in error.value.problems]

    def tick(self, name: str, moment: str) -> Any:
        """Evaluate a schedule at a time of UTC."""
        repository = self.definitions.get_repository_def()
        at = dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC)
        context = dg.build_schedule_context(
            self.instance, scheduled_execution_time=at, repository_def=repository
        )
        return repository.get_schedule_def(name).evaluate_tick(context)

    def look(self, name: str) -> Any:
        """Evaluate a sensor; what it remembers is kept as Dagster does after a tick."""
        repository = self.definitions.get_repository_def()
        with dg.build_sensor_context(
            self.instance,
            instance_ref=self.instance.get_ref() if self.instance.is_persistent else None,
            cursor=self.cursors.get(name),
            repository_def=repository,
            sensor_name=name,
        ) as context:
            data = repository.get_sensor_def(name).evaluate_tick(context)
        for request in data.dynamic_partitions_requests or ():
            self.instance.add_dynamic_partitions(
                request.partitions_def_name, request.partition_keys
            )
        self.cursors[name] = data.cursor
        return data

    def run(self, job: str, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        """Execute what was requested, with the tags that Dagster gives the run."""
        return self.definitions.resolve_job_def(job).execute_in_process(
            run_config=request.run_config,
            tags={**request.tags, RUN_KEY: str(request.run_key)},
            instance=self.instance,
            partition_key=request.partition_key,
        )


@pytest.fixture
def location(yaml_project: YamlProject) -> Iterator[Location]:
    """A code location with Python's assets and, so far, no automation."""
    yaml_project.write("defs/assets.py", ASSETS)
    with dg.DagsterInstance.ephemeral() as instance:
        yield Location(yaml_project, instance)

"""What the resource `dbt` does for the steps of the factories' assets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from factories.core.execution.step import start_errors_as_failures
from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import WarehouseSettings, warehouse_settings
from factories.dbt.project.project import DbtProject, Model
from factories.dbt.run_config import DbtRunConfig, WindowConfig


class DbtSteps:
    """Runs the steps of dbt: each method imports what it needs, and none needs dagster-dbt.

    A subclass of the resource may override `connection`: then everything that dbt builds, and
    everything that looks at tables afterwards, uses it.
    """

    def connection(self) -> WarehouseSettings:
        """Return how to reach the warehouse.

        Raises:
            StepStartError: When the environment lacks what is needed to reach the target.
        """
        return warehouse_settings()

    def build_models(
        self,
        context: dg.AssetExecutionContext,
        config: DbtRunConfig,
        project: DbtProject,
        models: Mapping[str, Model],
        names: WarehouseNames,
    ) -> Iterator[Any]:
        """Build the selected models of a step; see `execution.run.build_models`."""
        from factories.dbt.execution.run import build_models  # noqa: PLC0415 - only a step runs it

        yield from build_models(context, config, project, models, names, settings=self._settings())

    def build_window(
        self,
        context: dg.OpExecutionContext,
        config: WindowConfig,
        project: DbtProject,
        model: Model,
        names: WarehouseNames,
    ) -> None:
        """Build one window of a model; see `execution.backfill_run.build_window`."""
        from factories.dbt.execution.backfill_run import build_window  # noqa: PLC0415 - as above

        build_window(context, config, project, model, names, settings=self._settings())

    def check_sources(
        self, context: dg.AssetCheckExecutionContext, project: DbtProject
    ) -> Iterator[dg.AssetCheckResult]:
        """Run the selected checks of sources: how fresh they are, and their tests."""
        from factories.dbt.execution.checks import check_sources  # noqa: PLC0415 - as above

        yield from check_sources(context, project, self._settings())

    def _settings(self) -> WarehouseSettings:
        with start_errors_as_failures():
            return self.connection()


def steps_of(context: Any) -> DbtSteps:
    """Return the resource `dbt` of a step.

    Raises:
        dagster.Failure: When another resource stands in its place.
    """
    resource = context.resources.dbt
    if isinstance(resource, DbtSteps):
        return resource
    message = (
        f"the resource dbt is a {type(resource).__name__}: the assets of the dbt factory need a"
        " DbtResource of factories.dbt.resource, or a subclass of it"
    )
    raise dg.Failure(message, allow_retries=False)

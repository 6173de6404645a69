"""What every code location has: the resources, the automation sensor and the steps' executor."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from factories.core.assets.lazy_resources import lazy_resource
from factories.core.conditions.operators import OPERATORS, engine
from factories.core.conditions.retry_sensor import retry_sensor
from factories.core.conditions.unknown_checks import may_be_unknown, unknown_checks_sensor
from factories.core.warehouse.names import WarehouseNames

# Dagster would import the second one before all others, if it were not among them.
PRELOADED_MODULES = ("factories.preload", "dagster._core.executor.multiprocess")


def default_resources(
    names: WarehouseNames, *, sling: str | None = None, dbt_folders: Sequence[Path] = ()
) -> dict[str, Any]:
    """Return the resources that every code location offers; each is created when a step asks.

    Args:
        names: How the target's databases and schemas are called.
        sling: The folder of Sling's connections, None when the location has none.
        dbt_folders: The folders of the location's dbt projects.
    """
    return {
        "dbt": lazy_resource(
            "factories.dbt.deferred:create_dbt_resource",
            tuple(dbt_folders),
            package="dagster-dbt",
            description="dbt for the target's warehouse, as dagster-dbt's DbtCliResource.",
        ),
        "sling": lazy_resource(
            "factories.sling.resource:create_sling_resource",
            sling,
            package="dagster-sling",
            description="Sling, as dagster-sling's SlingResource, with the project's connections.",
        ),
        "snowflake": lazy_resource(
            "factories.core.warehouse.resource:create_snowflake_resource",
            names,
            package="dagster-snowflake",
            description="The target's Snowflake, as Dagster's SnowflakeResource.",
        ),
        "snowpark": lazy_resource(
            "factories.snowpark.resource:create_snowpark_resource",
            names,
            package="snowflake-snowpark-python",
            description="A Snowpark session in the target's database ML, open for one step.",
        ),
        "dlt": lazy_resource(
            "factories.dlt.step_imports:create_dlt_resource",
            names,
            package="dagster-dlt",
            description="Loads dlt pipelines, each resource on its own, as DagsterDltResource.",
        ),
    }


AUTOMATION = "automation"


def automation_sensors(
    environ: Mapping[str, str], assets: Iterable[object] = ()
) -> list[dg.SensorDefinition]:
    """Return the sensors that evaluate the automation conditions, and what these leave open.

    They are on, unless `DP_AUTOMATION` is `off`: then they wait to be switched on in the UI.

    Args:
        environ: The environment.
        assets: What YAML makes: checks among them may have to wait for a table.
    """
    off = environ.get("DP_AUTOMATION") == "off"
    status = dg.DefaultSensorStatus.STOPPED if off else dg.DefaultSensorStatus.RUNNING
    conditions = dg.AutomationConditionSensorDefinition(
        AUTOMATION,
        target=_all_assets(),
        default_status=status,
        description="Evaluates the automation conditions of this code location's assets, and runs"
        " what is due. Each asset's page says why it was run, or what it waits for.",
    )
    sensors: list[dg.SensorDefinition] = [conditions]
    if engine(environ) == OPERATORS:
        sensors.append(retry_sensor(status))
    if checks := may_be_unknown(assets):
        sensors.append(unknown_checks_sensor(checks, status))
    return sensors


def _all_assets() -> dg.AssetSelection:
    """Return all assets, with those of other locations, whose checks may be this one's.

    A union with all checks would be the same, but has no text that the UI could show.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # no news to who writes YAML
        return dg.AssetSelection.all(include_sources=True)


def step_executor() -> dg.ExecutorDefinition:
    """Return the executor of every run: step processes forked from one that has imported Dagster.

    Forking a prepared server costs half of what a fresh process for each step does.
    """
    return dg.multiprocess_executor.configured(
        {
            "max_concurrent": 4,
            "start_method": {"forkserver": {"preload_modules": [*PRELOADED_MODULES]}},
        }
    )

"""What a code location calls: YAML in, Dagster definitions out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from factories.cli.location_report import READS
from factories.core.assets.context import LoadContext
from factories.core.assets.lazy_resources import lazy_resource
from factories.core.dagster_internals import CodeLocationConfigError
from factories.core.garbage_collection import gc_paused
from factories.core.meta.automation import AutomationConditions, NamedCondition
from factories.core.project import project_root
from factories.core.warehouse.names import WarehouseNames, warehouse_names
from factories.core.yaml.problems import Problem

if TYPE_CHECKING:
    from dagster_dlt import DagsterDltTranslator

# Dagster would import the second one before all others, were it not among them.
PRELOADED_MODULES = ("factories.preload", "dagster._core.executor.multiprocess")

Asset = dg.AssetsDefinition | dg.AssetSpec


def build_definitions(
    *,
    sling: str | None = None,
    dlt: str | None = None,
    dbt: str | Sequence[str] | None = None,
    snowpark: str | None = None,
    conditions: Iterable[NamedCondition] = (),
    dlt_translator: DagsterDltTranslator | None = None,
) -> dg.Definitions:
    """Build the definitions of a code location.

    Reads files, and nothing else: no connection is opened and no system is started.

    Args:
        sling: Folder of Sling connections and replications, relative to the project folder.
        dlt: Folder of dlt pipelines.
        dbt: Folder of a dbt project, or several.
        snowpark: Folder of features, models, scores and other tables made with Snowpark.
        conditions: A company's own automation conditions.
        dlt_translator: A company's own subclass of `factories.dlt.DltPipelineTranslator`.

    Raises:
        ConfigError: With every problem of every file, when there is one.

    Example:
        >>> defs = build_definitions(sling="sling", dlt="dlt_pipelines")  # doctest: +SKIP
    """
    load_context, assets = read_project(
        sling=sling,
        dlt=dlt,
        dbt=dbt,
        snowpark=snowpark,
        conditions=conditions,
        dlt_translator=dlt_translator,
    )
    if load_context.problems:
        raise CodeLocationConfigError(load_context.problems)
    return dg.Definitions(
        assets=assets,
        jobs=load_context.jobs,
        executor=step_executor(),
        sensors=[automation_sensor(os.environ)],
        resources=default_resources(load_context.names),
        metadata=reads_metadata(load_context),
    )


def default_resources(names: WarehouseNames) -> dict[str, Any]:
    """Return the resources that every code location offers; each is created when a step asks.

    Args:
        names: How the target's databases and schemas are called.
    """
    return {
        "snowflake": lazy_resource(
            "factories.core.warehouse.resource:create_snowflake_resource",
            names,
            package="dagster-snowflake",
            description="The target's Snowflake, as Dagster's SnowflakeResource.",
        ),
        "dlt": lazy_resource(
            "factories.dlt.step:create_dlt_resource",
            names,
            package="dagster-dlt",
            description="Loads dlt pipelines, each resource on its own, as DagsterDltResource.",
        ),
    }


def reads_metadata(load_context: LoadContext) -> dict[str, dg.JsonMetadataValue]:
    """Return what tells `dp check` where the location declares assets of other locations."""
    reads = [
        {"key": key.to_user_string(), "file": origin.file, "line": origin.line}
        for key, origin in load_context.reads.items()
    ]
    return {READS: dg.MetadataValue.json(reads)} if reads else {}


@gc_paused()
def read_project(
    *,
    sling: str | None = None,
    dlt: str | None = None,
    dbt: str | Sequence[str] | None = None,
    snowpark: str | None = None,
    conditions: Iterable[NamedCondition] = (),
    dlt_translator: DagsterDltTranslator | None = None,
) -> tuple[LoadContext, list[Asset]]:
    """Read the YAML of a code location; problems are collected, not raised."""
    load_context = LoadContext(project_root(), warehouse_names(), AutomationConditions(conditions))
    assets: list[Asset] = []
    with warnings.catch_warnings():
        # Code references and freshness policies are Dagster's beta: no news to who writes YAML.
        warnings.simplefilter("ignore", dg.BetaWarning)
        if sling is not None and (folder := _folder(sling, load_context)):
            from factories.sling.assets import build_sling_assets  # noqa: PLC0415 - only where used

            assets += build_sling_assets(folder, load_context)
        if dlt is not None and (folder := _folder(dlt, load_context)):
            from factories.dlt.assets import build_dlt_assets  # noqa: PLC0415 - as above

            assets += build_dlt_assets(folder, load_context, dlt_translator)
        if dbt is not None:
            from factories.dbt.assets import build_dbt_assets  # noqa: PLC0415 - as above

            names = [dbt] if isinstance(dbt, str) else dbt
            folders = [folder for name in names if (folder := _folder(name, load_context))]
            assets += build_dbt_assets(folders, load_context)
        if snowpark is not None and (folder := _folder(snowpark, load_context)):
            from factories.snowpark.assets import build_snowpark_assets  # noqa: PLC0415 - as above

            assets += build_snowpark_assets(folder, load_context)
    return load_context, [] if load_context.problems else assets


def _folder(name: str, load_context: LoadContext) -> Path | None:
    folder = load_context.root / name
    if folder.is_dir():
        return folder
    load_context.problems.append(Problem(name, 0, 0, "the folder does not exist"))
    return None


def automation_sensor(environ: Mapping[str, str]) -> dg.AutomationConditionSensorDefinition:
    """Return the sensor that evaluates the automation conditions.

    It is on, unless `DP_AUTOMATION` is `off`: then it waits to be switched on in the UI.
    """
    off = environ.get("DP_AUTOMATION") == "off"
    return dg.AutomationConditionSensorDefinition(
        "automation",
        # A check of an asset of another code location belongs to none of this one's assets.
        target=dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks(),
        default_status=dg.DefaultSensorStatus.STOPPED if off else dg.DefaultSensorStatus.RUNNING,
    )


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

"""What a code location calls: YAML in, Dagster definitions out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import dagster as dg

from factories.automation import AutomationConditions, NamedCondition
from factories.build import Build
from factories.collector import collector_paused
from factories.errors import Problem
from factories.location_error import CodeLocationConfigError
from factories.location_report import READS
from factories.project import project_root
from factories.warehouse import warehouse_names

# Dagster would import the second one before all others, were it not among them.
PRELOADED_MODULES = ("factories.step_imports", "dagster._core.executor.multiprocess")

Asset = dg.AssetsDefinition | dg.AssetSpec


def build_definitions(
    *,
    sling: str | None = None,
    dlt: str | None = None,
    dbt: str | Sequence[str] | None = None,
    snowpark: str | None = None,
    conditions: Iterable[NamedCondition] = (),
) -> dg.Definitions:
    """Build the definitions of a code location.

    Reads files, and nothing else: no connection is opened and no system is started.

    Args:
        sling: Folder of Sling connections and replications, relative to the project folder.
        dlt: Folder of dlt pipelines.
        dbt: Folder of a dbt project, or several.
        snowpark: Folder of features, models, scores and other tables made with Snowpark.
        conditions: A company's own automation conditions.

    Raises:
        ConfigError: With every problem of every file, when there is one.

    Example:
        >>> defs = build_definitions(sling="sling", dlt="dlt_pipelines")  # doctest: +SKIP
    """
    build, assets = read_project(
        sling=sling, dlt=dlt, dbt=dbt, snowpark=snowpark, conditions=conditions
    )
    if build.problems:
        raise CodeLocationConfigError(build.problems)
    return dg.Definitions(
        assets=assets,
        jobs=build.jobs,
        executor=step_executor(),
        sensors=[automation_sensor(os.environ)],
        metadata=reads_metadata(build),
    )


def reads_metadata(build: Build) -> dict[str, dg.JsonMetadataValue]:
    """Return what tells `dp check` where the location declares assets of other locations."""
    reads = [
        {"key": key.to_user_string(), "file": origin.file, "line": origin.line}
        for key, origin in build.reads.items()
    ]
    return {READS: dg.MetadataValue.json(reads)} if reads else {}


@collector_paused()
def read_project(
    *,
    sling: str | None = None,
    dlt: str | None = None,
    dbt: str | Sequence[str] | None = None,
    snowpark: str | None = None,
    conditions: Iterable[NamedCondition] = (),
) -> tuple[Build, list[Asset]]:
    """Read the YAML of a code location; problems are collected, not raised."""
    build = Build(project_root(), warehouse_names(), AutomationConditions(conditions))
    assets: list[Asset] = []
    with warnings.catch_warnings():
        # Code references and freshness policies are Dagster's beta: no news to who writes YAML.
        warnings.simplefilter("ignore", dg.BetaWarning)
        if sling is not None and (folder := _folder(sling, build)):
            from factories.sling.assets import build_sling_assets  # noqa: PLC0415 - only where used

            assets += build_sling_assets(folder, build)
        if dlt is not None and (folder := _folder(dlt, build)):
            from factories.dlt.assets import build_dlt_assets  # noqa: PLC0415 - as above

            assets += build_dlt_assets(folder, build)
        if dbt is not None:
            from factories.dbt.assets import build_dbt_assets  # noqa: PLC0415 - as above

            names = [dbt] if isinstance(dbt, str) else dbt
            folders = [folder for name in names if (folder := _folder(name, build))]
            assets += build_dbt_assets(folders, build)
        if snowpark is not None and (folder := _folder(snowpark, build)):
            from factories.snowpark.assets import build_snowpark_assets  # noqa: PLC0415 - as above

            assets += build_snowpark_assets(folder, build)
    return build, [] if build.problems else assets


def _folder(name: str, build: Build) -> Path | None:
    folder = build.root / name
    if folder.is_dir():
        return folder
    build.problems.append(Problem(name, 0, 0, "the folder does not exist"))
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

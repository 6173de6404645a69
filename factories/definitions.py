"""What a code location calls: YAML in, Dagster definitions out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping

import dagster as dg

from factories.automation import AutomationConditions, NamedCondition
from factories.build import Build
from factories.collector import collector_paused
from factories.errors import Problem
from factories.location_error import CodeLocationConfigError
from factories.project import project_root
from factories.warehouse import warehouse_names


def build_definitions(
    *,
    sling: str | None = None,
    conditions: Iterable[NamedCondition] = (),
) -> dg.Definitions:
    """Build the definitions of a code location.

    Reads files, and nothing else: no connection is opened and no system is started.

    Args:
        sling: Folder of Sling connections and replications, relative to the project folder.
        conditions: A company's own automation conditions.

    Raises:
        ConfigError: With every problem of every file, when there is one.

    Example:
        >>> defs = build_definitions(sling="sling")  # doctest: +SKIP
    """
    build, assets = read_project(sling=sling, conditions=conditions)
    if build.problems:
        raise CodeLocationConfigError(build.problems)
    return dg.Definitions(
        assets=assets, executor=step_executor(), sensors=[automation_sensor(os.environ)]
    )


@collector_paused()
def read_project(
    *, sling: str | None = None, conditions: Iterable[NamedCondition] = ()
) -> tuple[Build, list[dg.AssetsDefinition | dg.AssetSpec]]:
    """Read the YAML of a code location; problems are collected, not raised."""
    build = Build(project_root(), warehouse_names(), AutomationConditions(conditions))
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = []
    with warnings.catch_warnings():
        # Code references and freshness policies are Dagster's beta: no news to who writes YAML.
        warnings.simplefilter("ignore", dg.BetaWarning)
        if sling is not None:
            from factories.sling.assets import build_sling_assets  # noqa: PLC0415 - only where used

            folder = build.root / sling
            if folder.is_dir():
                assets += build_sling_assets(folder, build)
            else:
                build.problems.append(Problem(sling, 0, 0, "the folder does not exist"))
    return build, assets


def automation_sensor(environ: Mapping[str, str]) -> dg.AutomationConditionSensorDefinition:
    """Return the sensor that evaluates the automation conditions.

    It is on, unless `DP_AUTOMATION` is `off`: then it waits to be switched on in the UI.
    """
    off = environ.get("DP_AUTOMATION") == "off"
    return dg.AutomationConditionSensorDefinition(
        "automation",
        target=dg.AssetSelection.all(),
        default_status=dg.DefaultSensorStatus.STOPPED if off else dg.DefaultSensorStatus.RUNNING,
    )


def step_executor() -> dg.ExecutorDefinition:
    """Return the executor of every run: step processes forked from one that has imported Dagster.

    Forking a prepared server costs half of what a fresh process for each step does.
    """
    return dg.multiprocess_executor.configured(
        {
            "max_concurrent": 4,
            "start_method": {"forkserver": {"preload_modules": ["dagster", "factories.sling.run"]}},
        }
    )

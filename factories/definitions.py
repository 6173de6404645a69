"""What a code location calls: YAML in, Dagster definitions out."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from factories.automation.location import Automation, read_automation
from factories.core.assets.context import CHECK_READS, JOB_READS, READS, LoadContext, Origin
from factories.core.assets.partition_freshness import partition_freshness_checks
from factories.core.assets.translators import find_translator_problem
from factories.core.dagster_internals import CodeLocationConfigError, is_reconstruction
from factories.core.garbage_collection import gc_paused
from factories.core.meta.condition_lookup import AutomationConditions
from factories.core.meta.named_conditions import NamedCondition
from factories.core.project import project_root
from factories.core.python_defs.conflicts import (
    conflict_problems,
    name_problems,
    selection_problems,
)
from factories.core.python_defs.declarations import Declarations
from factories.core.python_defs.join import join_assets, read_python
from factories.core.warehouse.names import warehouse_names
from factories.core.yaml.problems import Problem
from factories.location_defaults import automation_sensors, default_resources, step_executor

if TYPE_CHECKING:
    from dagster_dlt import DagsterDltTranslator

    from factories.alerts.location import LocationAlerts
    from factories.dbt.translator import DbtTranslator
    from factories.dlt.specs import MakeSpec
    from factories.sling.translator import ReplicationTranslator

Asset = dg.AssetsDefinition | dg.AssetSpec


def build_definitions(
    *,
    sling: str | None = None,
    dlt: str | None = None,
    dbt: str | Sequence[str] | None = None,
    snowpark: str | None = None,
    automation: str | None = None,
    defs: str | None = None,
    assets: Iterable[Any] = (),
    asset_checks: Iterable[dg.AssetChecksDefinition] = (),
    jobs: Iterable[Any] = (),
    schedules: Iterable[Any] = (),
    sensors: Iterable[dg.SensorDefinition] = (),
    resources: Mapping[str, Any] | None = None,
    conditions: Iterable[NamedCondition] = (),
    alerts: str | None = None,
    sling_translator: ReplicationTranslator | None = None,
    dbt_translator: DbtTranslator | None = None,
    dlt_translator: DagsterDltTranslator | None = None,
) -> dg.Definitions:
    """Build the definitions of a code location: what YAML gives, and a team's own Python.

    Reads files and imports those below `defs`, and nothing else: no connection is opened and no
    system is started.

    Args:
        sling: Folder of Sling connections and replications, relative to the project folder.
        dlt: Folder of dlt pipelines.
        dbt: Folder of a dbt project, or several.
        snowpark: Folder of features, models, scores and other tables made with Snowpark.
        automation: An `automation.yaml`, or its folder: jobs, schedules and sensors.
        defs: Folder of Python files, usually `code_locations/<location>/defs`: what they declare is
            found at any depth.
        assets: Assets of the team's own, as `dagster.Definitions` takes them.
        asset_checks: Checks, of any asset.
        jobs: Jobs.
        schedules: Schedules.
        sensors: Sensors.
        resources: By name, beside the default ones; one of a default's name replaces it.
        conditions: A company's own automation conditions, which YAML may name.
        alerts: File of alerts, usually `code_locations/<location>/alerts.yaml`: who is told of what
            goes wrong.
        sling_translator: A company's own; may change what the asset of a Sling stream is like.
        dbt_translator: A company's own translator of dbt: it decides keys, specs and checks.
        dlt_translator: A company's own subclass of `factories.dlt.DltPipelineTranslator`.

    Raises:
        ConfigError: With every problem of every file, when there is one.

    Example:
        >>> defs = build_definitions(sling="sling", dlt="dlt_pipelines")  # doctest: +SKIP
    """
    load_context, made = read_project(
        sling=sling,
        dlt=dlt,
        dbt=dbt,
        snowpark=snowpark,
        conditions=conditions,
        sling_translator=sling_translator,
        dbt_translator=dbt_translator,
        dlt_translator=dlt_translator,
    )
    given = dg.Definitions(
        assets=[*assets],
        asset_checks=[*asset_checks],
        jobs=[*jobs],
        schedules=[*schedules],
        sensors=[*sensors],
        resources=resources,
    )
    own = read_python(
        load_context,
        folder=None if defs is None else _folder(defs, load_context),
        given=given,
        frame=inspect.currentframe(),
    )
    defaults = default_resources(
        load_context.names, sling=sling, dbt_folders=dbt_folders(dbt, load_context.root)
    )
    automated = read_automation(automation, load_context, own)
    return _join(load_context, made, own, defaults, automated, alerts=alerts)


def _join(
    load_context: LoadContext,
    made: Sequence[Asset],
    own: Declarations,
    defaults: Mapping[str, Any],
    automated: Automation,
    *,
    alerts: str | None,
) -> dg.Definitions:
    """Join what YAML makes and what Python declares.

    Raises:
        ConfigError: When anything is wrong with one of them, or between them.
    """
    problems: list[Problem] = []
    told = _read_alerts(alerts, load_context.root, problems)
    sensors = [*automation_sensors(os.environ, made), *(told.sensors() if told else ())]
    load_context.problems += conflict_problems(own, made, load_context, resources=defaults)
    ticking = {**{sensor.name: None for sensor in sensors}, **automated.ticking_origins}
    clashes = [*name_problems(own, load_context, jobs=automated.job_origins, ticking=ticking)]
    problems += clashes
    if load_context.problems:
        found = [*load_context.problems, *problems, *automated.entries.problems]
        raise CodeLocationConfigError(found)
    # Of two of one name Dagster takes neither; what they say of assets is told with it.
    takes_names = not clashes
    definitions = dg.Definitions(
        assets=join_assets(made, own, load_context.root),
        asset_checks=[*partition_freshness_checks(made), *own.values("asset_checks")],
        jobs=[*load_context.jobs, *automated.jobs, *own.values("jobs")] if takes_names else [],
        executor=step_executor(),
        schedules=[*automated.schedules, *own.values("schedules")] if takes_names else [],
        sensors=[*sensors, *automated.sensors, *own.values("sensors")] if takes_names else [],
        resources={**defaults, **{name: item.value for name, item in own.resources}},
        loggers={name: item.value for name, item in own.loggers},
        metadata={
            **own.metadata,
            **reads_metadata(load_context),
            **(told.metadata() if told else {}),
        },
    )
    problems += [*selection_problems(own, definitions), *automated.problems(definitions)]
    problems += told.problems(definitions) if told else ()
    if problems:
        raise CodeLocationConfigError(problems)
    return definitions


def _read_alerts(alerts: str | None, root: Path, problems: list[Problem]) -> LocationAlerts | None:
    """Return who is told of what goes wrong; a run or step tells nobody, and reads no such file."""
    if alerts is None or is_reconstruction():
        return None
    from factories.alerts.location import read_location_alerts  # noqa: PLC0415 - only where used

    return read_location_alerts(alerts, root, problems)


def reads_metadata(load_context: LoadContext) -> dict[str, dg.JsonMetadataValue]:
    """Return the metadata by which `dp check` knows what of other locations is named, and where."""
    found: dict[str, Iterable[tuple[str, Origin]]] = {
        READS: ((key.to_user_string(), origin) for key, origin in load_context.reads.items()),
        CHECK_READS: ((key.to_user_string(), origin) for key, origin in load_context.check_reads),
        JOB_READS: load_context.job_reads.items(),
    }
    listed = {
        name: [{"key": key, **asdict(origin)} for key, origin in reads]
        for name, reads in found.items()
    }
    return {name: dg.MetadataValue.json(reads) for name, reads in listed.items() if reads}


@gc_paused()
def read_project(
    *,
    sling: str | None = None,
    dlt: str | None = None,
    dbt: str | Sequence[str] | None = None,
    snowpark: str | None = None,
    conditions: Iterable[NamedCondition] = (),
    sling_translator: ReplicationTranslator | None = None,
    dbt_translator: DbtTranslator | None = None,
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

            assets += build_sling_assets(folder, load_context, sling_translator)
        if dlt is not None and (folder := _folder(dlt, load_context)):
            from factories.dlt.assets import build_dlt_assets  # noqa: PLC0415 - as above

            assets += build_dlt_assets(
                folder, load_context, _dlt_specs(dlt_translator, load_context)
            )
        if dbt is not None:
            from factories.dbt.assets import build_dbt_assets  # noqa: PLC0415 - as above

            names = [dbt] if isinstance(dbt, str) else dbt
            folders = [folder for name in names if (folder := _folder(name, load_context))]
            usable = _usable_dbt_translator(dbt_translator, load_context)
            assets += build_dbt_assets(folders, load_context, usable)
        if snowpark is not None and (folder := _folder(snowpark, load_context)):
            from factories.snowpark.assets import build_snowpark_assets  # noqa: PLC0415 - as above

            assets += build_snowpark_assets(folder, load_context)
    return load_context, [] if load_context.problems else assets


def _dlt_specs(
    translator: DagsterDltTranslator | None, load_context: LoadContext
) -> MakeSpec | None:
    """Return what makes the asset of a dlt resource, where a company has its own translator."""
    if translator is None:
        return None
    # Imports dlt, as the module that has the translator did.
    from factories.dlt.translator import (  # noqa: PLC0415 - see above
        SUPERSEDED,
        DltPipelineTranslator,
        specs_of,
    )

    if problem := find_translator_problem(
        "dlt_translator", translator, DltPipelineTranslator, SUPERSEDED
    ):
        load_context.problems.append(problem)
    return specs_of(translator)


def _usable_dbt_translator(
    translator: DbtTranslator | None, load_context: LoadContext
) -> DbtTranslator | None:
    """Return a company's translator of dbt; None, and a problem, when it cannot be used."""
    if translator is None:
        return None
    # Imports dagster-dbt, as the module that has the translator did.
    from factories.dbt.translator import SUPERSEDED, DbtTranslator  # noqa: PLC0415 - see above

    if problem := find_translator_problem("dbt_translator", translator, DbtTranslator, SUPERSEDED):
        load_context.problems.append(problem)
        return None
    return translator


def dbt_folders(dbt: str | Sequence[str] | None, root: Path) -> list[Path]:
    """Return the folders of a code location's dbt projects."""
    return [root / name for name in ([dbt] if isinstance(dbt, str) else dbt or ())]


def _folder(name: str, load_context: LoadContext) -> Path | None:
    folder = load_context.root / name
    if folder.is_dir():
        return folder
    load_context.problems.append(Problem(name, 0, 0, "the folder does not exist"))
    return None

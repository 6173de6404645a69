"""Training a model inside a Dagster step: train, register, compare, promote."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from factories.core.execution.data_versions import find_data_version
from factories.core.execution.run_watchdog import has_ended
from factories.core.python_refs.importer import import_function
from factories.core.warehouse.names import WarehouseNames
from factories.snowpark.config.entries import ModelEntry
from factories.snowpark.in_snowflake.training import train
from factories.snowpark.models.checks import run_model_checks
from factories.snowpark.models.plots import draw_plots
from factories.snowpark.models.procedure import train_in_snowflake
from factories.snowpark.models.promotion import Judgement, judge
from factories.snowpark.models.registry import TrainedModel, Version
from factories.snowpark.models.step import ModelStep, open_model_step
from factories.snowpark.run_config import ModelRunConfig

Plots = Mapping[str, dg.MetadataValue]
IN_COLUMNS = frozenset({"file", "sha256", "splits", "metrics"})  # of the registry


def train_model(
    context: dg.AssetExecutionContext,
    config: ModelRunConfig,
    entry: ModelEntry,
    names: WarehouseNames,
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Train a new version of a model; or, when the run's config names one, promote that.

    The version is registered and, when it is better, promoted in one transaction at the end: a
    step that is killed at any point leaves the registry as it was.

    Yields:
        A result with the version's metrics and plots, and its checks. When only checks are
        selected they judge the newest version, and nothing is trained.

    Raises:
        dagster.Failure: When there is no new version, or the one that is named cannot be promoted.
    """
    with open_model_step(context, entry, entry, names) as step:
        if entry.key not in context.selected_asset_keys:
            newest = next(iter(step.registry.versions(entry.name)), None)
            if newest:
                yield from run_model_checks(context, entry, newest)
            return
        if config.promote_version is not None:
            version = step.registry.promote(entry.name, config.promote_version)
            judgement = Judgement(True, "the run's config names it")
            plots = _draw(version.details)
        else:
            version, judgement, plots = _train(context, entry, step)
        context.log.info(
            "%s is %s: %s",
            version.label,
            "the champion now" if judgement.promote else "a candidate",
            judgement.reason,
        )
        result = _build_result(entry, version, judgement, plots, step.seconds)
        yield result._replace(data_version=find_data_version(context, entry.key, {}))
        yield from run_model_checks(context, entry, version)


def _train(
    context: dg.AssetExecutionContext, entry: ModelEntry, step: ModelStep
) -> tuple[Version, Judgement, Plots]:
    champion = step.registry.champion(entry.name)
    request = _build_request(entry, champion)
    context.log.info("training %s on %s", entry.name, entry.features.relation)
    if entry.runs_in == "client":
        report = train(step.session, request, import_function(str(entry.function), entry.folder))
    else:
        report = train_in_snowflake(step.session, entry, request)
    if champion and report["champion"]:
        report["champion"]["trained_until"] = champion.splits.get("train", {}).get("last", "")
    judgement = judge(entry.promote, entry.metrics, report)
    trained = TrainedModel(
        model=entry.name,
        run_id=context.run.run_id,
        code_version=entry.code_version,
        splits=report["splits"],
        params=request["params"],
        metrics=report["metrics"],
        file=report["file"],
        sha256=report["sha256"],
        details={
            **{name: value for name, value in report.items() if name not in IN_COLUMNS},
            "judgement": judgement.reason,
        },
    )
    # What takes time comes before: a step that is killed between here and its result has added a
    # version that no run tells of, and is asked for again.
    plots = _draw(trained.details)
    if has_ended(context):  # and what repeats it may have begun: each would add a version
        raise dg.Failure("the run has ended meanwhile: nothing is registered", allow_retries=False)
    version = step.registry.register(
        trained, promote=judgement.promote, champion=champion.version if champion else None
    )
    return version, judgement, plots


def _draw(details: Mapping[str, Any]) -> Plots:
    return draw_plots(details) if "curves" in details else {}


def _build_request(entry: ModelEntry, champion: Version | None) -> dict[str, Any]:
    """Return what training is asked for, in plain values."""
    return {
        "model": entry.name,
        "query": f"select * from {entry.features.relation.sql}",  # noqa: S608 - a name from the YAML
        "keys": list(entry.features.keys),
        "target": entry.target,
        "split": {
            "by": entry.split.by,
            "train_until": str(entry.split.train_until),
            "validate_until": str(entry.split.validate_until),
        },
        # As JSON has them, wherever the function runs: a date of YAML is a text.
        "params": json.loads(json.dumps(dict(entry.params), default=str)),
        "metrics": list(entry.metrics),
        "stage": entry.stage.sql,
        "champion": {
            "version": champion.version,
            "file": champion.file,
            "sha256": champion.sha256,
        }
        if champion
        else None,
    }


def _build_result(
    entry: ModelEntry, version: Version, judgement: Judgement, plots: Plots, seconds: float
) -> dg.MaterializeResult[Any]:
    details = version.details
    champion: Mapping[str, Any] = details.get("champion") or {}
    measured = {
        f"{part}/{name}": value
        for part, values in version.metrics.items()
        for name, value in values.items()
    }
    measured |= {f"champion/{name}": v for name, v in champion.get("metrics", {}).items()}
    return dg.MaterializeResult(
        asset_key=entry.key,
        metadata={
            "version": version.version,
            "status": version.status,
            "decision": judgement.reason,
            **measured,
            "champion/version": champion.get("version", "none"),
            **plots,
            "splits": dg.MetadataValue.json(dict(version.splits)),
            "rows_without_target": details.get("rows_without_target", 0),
            "features": dg.MetadataValue.json(details.get("features", [])),
            "params": dg.MetadataValue.json(dict(version.params)),
            "sha256": version.sha256,
            "file": f"@{entry.stage}/{version.file}",
            "registry": str(entry.registry),
            "seconds": seconds,
            "environment": dg.MetadataValue.json(details.get("versions", {})),
        },
    )

"""The asset checks of a model: how each judges a registered version."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg

from factories.snowpark.config.check_specs import (
    CALIBRATED,
    COMPARED,
    DISJOINT,
    MAX_CALIBRATION_ERROR,
    THRESHOLD,
    model_check_specs,
)
from factories.snowpark.config.entries import ModelEntry
from factories.snowpark.models.promotion import find_missed_threshold
from factories.snowpark.models.registry import Version

Outcome = tuple[bool, Mapping[str, Any], str | None]  # passed, metadata, description


def run_model_checks(
    context: dg.AssetExecutionContext, entry: ModelEntry, version: Version
) -> Iterator[dg.AssetCheckResult]:
    """Yield the selected checks of a version, from what the registry has of it."""
    run: dict[str, Callable[[ModelEntry, Version], Outcome]] = {
        DISJOINT: _check_disjoint,
        COMPARED: _check_compared,
        THRESHOLD: _check_threshold,
        CALIBRATED: _check_calibrated,
    }
    for spec in model_check_specs(entry):
        if spec.key in context.selected_asset_check_keys:
            passed, metadata, text = run[spec.name](entry, version)
            yield dg.AssetCheckResult(
                passed=passed,
                asset_key=entry.key,
                check_name=spec.name,
                severity=dg.AssetCheckSeverity.ERROR
                if spec.name == DISJOINT
                else dg.AssetCheckSeverity.WARN,
                metadata={"version": version.version, **metadata},
                description=text,
            )


def _check_disjoint(_entry: ModelEntry, version: Version) -> Outcome:
    found = version.details.get("overlaps")
    if found is None:
        return False, {}, f"{version.label} was registered without it."
    return not found, {"splits": dict(version.splits)}, "; ".join(found) or None


def _check_compared(_entry: ModelEntry, version: Version) -> Outcome:
    champion = version.details.get("champion")
    if champion is None:
        return True, {}, "There was no champion."
    text = champion.get("error")
    if text is None and champion.get("trained_until", "") >= version.splits["validation"]["first"]:
        text = (
            f"The champion was trained on rows until {champion['trained_until']}, so on some of"
            " those that both were measured on: its metrics are better than they should be."
        )
    return "error" not in champion, {"champion": champion}, text


def _check_threshold(entry: ModelEntry, version: Version) -> Outcome:
    assert entry.promote is not None  # noqa: S101 - else there is no such check
    value = version.metrics["validation"].get(entry.promote.metric)
    if value is None:
        return False, {}, f"{version.label} was registered without {entry.promote.metric}."
    missed = find_missed_threshold(entry.promote, value)
    return missed is None, {entry.promote.metric: value}, missed


def _check_calibrated(_entry: ModelEntry, version: Version) -> Outcome:
    error = version.details.get("calibration_error")
    if error is None:
        return False, {}, "The estimator gives no probabilities."
    return error <= MAX_CALIBRATION_ERROR, {"calibration_error": error}, None

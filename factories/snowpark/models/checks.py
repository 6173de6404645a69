"""The asset checks of models and of scores: which there are, and how each is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from factories.snowpark.config.entries import ModelEntry, ScoreEntry
from factories.snowpark.handler.metric_names import has_probabilities
from factories.snowpark.models.plots import drift_plot
from factories.snowpark.models.promotion import missed_threshold
from factories.snowpark.scores.drift import FEWEST_ROWS, MUCH, Drift

if TYPE_CHECKING:
    # It imports Snowpark, which a location that only loads does not need.
    from factories.snowpark.models.registry import Version

Outcome = tuple[bool, Mapping[str, Any], str | None]  # passed, metadata, description

THRESHOLD = "metric_threshold"
DISJOINT = "split_is_disjoint"
CALIBRATED = "calibration"
COMPARED = "compared_with_champion"
DRIFT = "feature_drift"
MOST_CALIBRATION_ERROR = 0.1  # in the mean over the rows


def model_check_specs(entry: ModelEntry) -> list[dg.AssetCheckSpec]:
    """Return the checks that every training of a model runs.

    None holds back what comes after: a candidate that fails one is not what scoring uses.
    """
    told = {
        DISJOINT: "Training, validation and test rows are apart in time and share no keys.",
        COMPARED: "The champion could be measured on the candidate's validation rows.",
    }
    if entry.promote and (entry.promote.at_least, entry.promote.at_most) != (None, None):
        told[THRESHOLD] = f"{entry.promote.metric} on validation is what promotion asks for."
    if has_probabilities(entry.metrics):
        told[CALIBRATED] = f"Probabilities are off by at most {MOST_CALIBRATION_ERROR} in the mean."
    return [
        dg.AssetCheckSpec(name, asset=entry.key, description=text) for name, text in told.items()
    ]


def score_check_specs(entry: ScoreEntry) -> list[dg.AssetCheckSpec]:
    """Return the check that every scoring runs."""
    told = "The scored rows' features are distributed as those of the training rows."
    return [dg.AssetCheckSpec(DRIFT, asset=entry.key, description=told)]


def model_checks(
    context: dg.AssetExecutionContext, entry: ModelEntry, version: Version
) -> Iterator[dg.AssetCheckResult]:
    """Yield the selected checks of a version, from what the registry has of it."""
    run: dict[str, Callable[[ModelEntry, Version], Outcome]] = {
        DISJOINT: _disjoint,
        COMPARED: _compared,
        THRESHOLD: _threshold,
        CALIBRATED: _calibrated,
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


def _disjoint(_entry: ModelEntry, version: Version) -> Outcome:
    found = version.details.get("overlaps")
    if found is None:
        return False, {}, f"{version.label} was registered without it."
    return not found, {"splits": dict(version.splits)}, "; ".join(found) or None


def _compared(_entry: ModelEntry, version: Version) -> Outcome:
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


def _threshold(entry: ModelEntry, version: Version) -> Outcome:
    assert entry.promote is not None  # noqa: S101 - else there is no such check
    value = version.metrics["validation"].get(entry.promote.metric)
    if value is None:
        return False, {}, f"{version.label} was registered without {entry.promote.metric}."
    missed = missed_threshold(entry.promote, value)
    return missed is None, {entry.promote.metric: value}, missed


def _calibrated(_entry: ModelEntry, version: Version) -> Outcome:
    error = version.details.get("calibration_error")
    if error is None:
        return False, {}, "The estimator gives no probabilities."
    return error <= MOST_CALIBRATION_ERROR, {"calibration_error": error}, None


def drift_check(
    context: dg.AssetExecutionContext,
    entry: ScoreEntry,
    find: Callable[[], tuple[Version | None, Drift | str]],
) -> Iterator[dg.AssetCheckResult]:
    """Yield the check of drift, when it is selected.

    Args:
        context: Dagster's.
        entry: The scores.
        find: Tells of which version how far the features have moved, or why that could not be
            counted; it reads all rows, so it is asked only when the check is selected.
    """
    if dg.AssetCheckKey(entry.key, DRIFT) not in context.selected_asset_check_keys:
        return
    version, found = find()
    metadata: dict[str, Any] = {"model_version": version.version} if version else {}
    passed, text = False, None
    if isinstance(found, str):
        text = found
    else:
        passed = not (found.is_known and found.moved)
        metadata |= {"rows": found.rows, "index": dict(found.index)}
        if found.index:
            metadata["plot"] = drift_plot(found.index, MUCH)
        if not found.is_known:
            text = f"{found.rows} rows are too few to tell; from {FEWEST_ROWS} on it is judged."
        elif found.moved:
            moved = ", ".join(f"{name} {found.index[name]:.2f}" for name in found.moved)
            text = f"Another population than in training (index from {MUCH} on): {moved}"
    yield dg.AssetCheckResult(
        passed=passed,
        asset_key=entry.key,
        check_name=DRIFT,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
        description=text,
    )

"""The asset checks of models and of scores: their names, and which of them an entry has."""

from __future__ import annotations

import dagster as dg

from factories.snowpark.config.entries import ModelEntry, ScoreEntry
from factories.snowpark.in_snowflake.metric_names import has_probabilities

THRESHOLD = "metric_threshold"
DISJOINT = "split_is_disjoint"
CALIBRATED = "calibration"
COMPARED = "compared_with_champion"
DRIFT = "feature_drift"
MAX_CALIBRATION_ERROR = 0.1  # mean over the rows


def model_check_specs(entry: ModelEntry) -> list[dg.AssetCheckSpec]:
    """Return the checks that run after every training of a model.

    None of them is blocking: scores are made with the champion, not with a candidate that fails.
    """
    descriptions = {
        DISJOINT: "Training, validation and test rows are apart in time and share no keys.",
        COMPARED: "The champion could be measured on the candidate's validation rows.",
    }
    if entry.promote and (entry.promote.at_least, entry.promote.at_most) != (None, None):
        descriptions[THRESHOLD] = (
            f"{entry.promote.metric} on validation is what promotion asks for."
        )
    if has_probabilities(entry.metrics):
        descriptions[CALIBRATED] = (
            f"Probabilities are off by at most {MAX_CALIBRATION_ERROR} in the mean."
        )
    return [
        dg.AssetCheckSpec(name, asset=entry.key, description=text)
        for name, text in descriptions.items()
    ]


def score_check_specs(entry: ScoreEntry) -> list[dg.AssetCheckSpec]:
    """Return the check that runs after every scoring."""
    description = "The scored rows' features are distributed as those of the training rows."
    return [dg.AssetCheckSpec(DRIFT, asset=entry.key, description=description)]

"""What describes a model beside its metrics, as plain numbers: they travel, the rows do not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from sklearn.inspection import permutation_importance  # type: ignore[import-untyped]
from sklearn.metrics import roc_curve  # type: ignore[import-untyped]

from factories.snowpark.in_snowflake.metrics import TWO, Predictions

POINTS = 100  # of a curve
BINS = 10
ROWS_OF_A_BIN = 50  # of fewer, the share that came true is mostly chance
IMPORTANCE_ROWS = 2000
MANY_VALUES = 20  # of a text: the others are counted together


def compute_roc(found: Predictions) -> list[list[float]]:
    """Return points of the ROC curve, false and true positive rate; none without both classes."""
    if found.probability is None or len(np.unique(found.truth)) < TWO:
        return []
    false_rate, true_rate, _ = roc_curve(found.truth, found.probability)
    chosen = np.unique(np.linspace(0, len(false_rate) - 1, POINTS).round().astype(int))
    return [[float(false_rate[i]), float(true_rate[i])] for i in chosen]


def compute_calibration(found: Predictions) -> list[list[float]]:
    """Return mean probability, share that came true and rows of bins of about equally many rows."""
    if found.probability is None:
        return []
    order = np.argsort(found.probability, kind="stable")
    points = []
    bins = max(1, min(BINS, len(order) // ROWS_OF_A_BIN))
    for chunk in np.array_split(order, bins):
        mean, share = found.probability[chunk].mean(), found.truth[chunk].mean()
        points.append([float(mean), float(share), float(len(chunk))])
    return points


def compute_calibration_error(bins: Sequence[Sequence[float]]) -> float | None:
    """Return by how much probabilities are off what came true, in the mean over the rows."""
    rows = sum(size for _, _, size in bins)
    return sum(abs(mean - share) * size for mean, share, size in bins) / rows if rows else None


def compute_importance(
    estimator: Any, frame: pd.DataFrame, features: Sequence[str], target: str
) -> dict[str, float]:
    """Return how much worse the estimator's own score gets when a feature's values are shuffled."""
    sample = frame.sample(min(len(frame), IMPORTANCE_ROWS), random_state=0)
    result = permutation_importance(
        estimator, sample[list(features)], sample[target], n_repeats=3, random_state=0, n_jobs=1
    )
    means = (float(mean) for mean in np.nan_to_num(result["importances_mean"]))
    return dict(sorted(zip(features, means, strict=True), key=lambda item: -item[1]))


def profile_features(frame: pd.DataFrame, features: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return each feature's distribution in the training data, to compare other data with.

    Of a number: the inner edges of bins of about equally many rows, and each bin's share; of
    anything else the shares of its most frequent values, and of the others together. The last
    share is that of nulls. Times are left out: they differ in any later data.
    """
    return {
        name: _describe_distribution(frame[name]) for name in features if not _is_time(frame[name])
    }


def _is_time(column: pd.Series) -> bool:
    first = next(iter(column.dropna()), None)
    return isinstance(first, date | time)


def _describe_distribution(column: pd.Series) -> dict[str, Any]:
    # With nulls among them booleans are objects to pandas.
    rows, known = max(len(column), 1), column.dropna().infer_objects()
    nulls = (len(column) - len(known)) / rows
    if pd.api.types.is_numeric_dtype(known) and not pd.api.types.is_bool_dtype(known):
        values = known.to_numpy(dtype="float64")
        steps = np.linspace(0, 1, BINS + 1)[1:-1]
        finite = values[np.isfinite(values)]
        edges = np.unique(np.quantile(finite, steps)) if len(finite) else np.array([])
        # As SQL's `x <= edge` counts them.
        counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
        return {"edges": edges.tolist(), "shares": [*(counts / rows).tolist(), nulls]}
    texts = (
        known.astype(str).str.lower() if pd.api.types.is_bool_dtype(known) else known.astype(str)
    )
    frequent = texts.value_counts()
    # By the name among equally many, or the choice would depend on the rows' order.
    frequent = frequent.sort_index().sort_values(ascending=False, kind="stable")[:MANY_VALUES]
    shares = [float(count) / rows for count in frequent]
    others = (len(known) - int(frequent.sum())) / rows
    return {"values": [str(v) for v in frequent.index], "shares": [*shares, others, nulls]}

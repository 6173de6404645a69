"""What is measured of a fitted estimator on rows that it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from sklearn import metrics as measures  # type: ignore[import-untyped]
from sklearn.base import is_classifier  # type: ignore[import-untyped]
from sklearn.exceptions import NotFittedError  # type: ignore[import-untyped]

from factories.snowpark.in_snowflake.errors import ModelError
from factories.snowpark.in_snowflake.frames import require
from factories.snowpark.in_snowflake.metric_names import METRICS

_LABEL: dict[str, Callable[..., float]] = {
    "accuracy": measures.accuracy_score,
    "balanced_accuracy": measures.balanced_accuracy_score,
}
# Of the second class when there are two, else the mean of the classes.
_OF_A_CLASS: dict[str, Callable[..., float]] = {
    "f1": measures.f1_score,
    "precision": measures.precision_score,
    "recall": measures.recall_score,
}
_PROBABILITY: dict[str, Callable[..., float]] = {
    "roc_auc": measures.roc_auc_score,
    "average_precision": measures.average_precision_score,
    "brier": measures.brier_score_loss,
    "log_loss": measures.log_loss,
}
_VALUE: dict[str, Callable[..., float]] = {
    "mae": measures.mean_absolute_error,
    "rmse": measures.root_mean_squared_error,
    "mape": measures.mean_absolute_percentage_error,
    "r2": measures.r2_score,
}
TWO = 2


@dataclass(frozen=True)
class Predictions:
    """What an estimator says of some rows, beside what is true of them.

    Attributes:
        truth: The target; of a classifier with two classes, whether it is the second one.
        labels: What it predicts, in the same form.
        probability: The probability of the second class; None for other estimators.
        is_binary: Whether it is a classifier with two classes, with or without probabilities.
    """

    truth: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    probability: np.ndarray[Any, Any] | None
    is_binary: bool = False


def find_feature_names(estimator: Any, frame: pd.DataFrame, apart: Iterable[str]) -> list[str]:
    """Return the columns that an estimator takes.

    Those that it was fitted with, as scikit-learn notes them when it is given a data frame; else
    all columns except those that are set apart: the target, the keys and the time.
    """
    noted = getattr(estimator, "feature_names_in_", None)
    if noted is not None:
        return [str(name) for name in noted]
    left_out = set(apart)
    return [str(name) for name in frame.columns if name not in left_out]


def make_predictions(
    estimator: Any, frame: pd.DataFrame, features: Sequence[str], target: str
) -> Predictions:
    """Return what an estimator says of rows whose target is known.

    Raises:
        ModelError: When it is not fitted, or the rows are not such as it was fitted with.
    """
    require(frame, features)
    rows = frame[list(features)]
    try:
        labels = np.asarray(estimator.predict(rows))
    except NotFittedError as error:
        raise ModelError(f"the estimator is not fitted: {error}") from None
    truth = frame[target].to_numpy()
    classes = getattr(estimator, "classes_", None)
    if not is_classifier(estimator) or classes is None or len(classes) != TWO:
        return Predictions(truth, labels, None)
    unknown = set(pd.unique(truth)) - set(np.asarray(classes).tolist())
    if unknown:
        raise ModelError(
            f"{target} has values that training has not seen: {sorted(map(str, unknown))}"
        )
    second = classes[1]
    probability = None
    if hasattr(estimator, "predict_proba"):
        probability = np.asarray(estimator.predict_proba(rows))[:, 1].astype("float64")
    return Predictions(
        (truth == second).astype(int), (labels == second).astype(int), probability, is_binary=True
    )


def measure(found: Predictions, names: Iterable[str]) -> dict[str, float]:
    """Return the metrics by name.

    Raises:
        ModelError: When a metric cannot be computed for this estimator or these rows.
    """
    measured = {}
    for name in names:
        try:
            value = measured[name] = _measure(found, name)
        except (TypeError, ValueError) as error:  # such as classes of a regression
            raise ModelError(f"{name} cannot be measured of this estimator: {error}") from None
        if not np.isfinite(value):
            raise ModelError(f"{name} is {value} on {len(found.truth)} rows: it cannot be compared")
    return measured


def _measure(found: Predictions, name: str) -> float:
    needs = METRICS[name][1]
    if needs == "probability":
        if found.probability is None:
            raise ModelError(
                f"{name} needs the probabilities of a classifier with two classes:"
                " the estimator has no predict_proba, or not two classes"
            )
        if len(np.unique(found.truth)) < TWO:
            raise ModelError(f"{name} needs rows of both classes, all {len(found.truth)} are one")
        return float(_PROBABILITY[name](found.truth, found.probability))
    if needs == "value":
        truth = pd.to_numeric(pd.Series(found.truth)).to_numpy(dtype="float64")
        return float(_VALUE[name](truth, found.labels))
    if name in _LABEL:
        return float(_LABEL[name](found.truth, found.labels))
    average = "binary" if found.is_binary else "macro"
    return float(_OF_A_CLASS[name](found.truth, found.labels, average=average, zero_division=0.0))

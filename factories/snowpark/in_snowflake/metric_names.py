"""The metrics that YAML may name; without scikit-learn, which a location does not import."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Needs = Literal["probability", "label", "value"]

METRICS: dict[str, tuple[Literal["maximize", "minimize"], Needs]] = {
    # Of a classifier with two classes, from the probability of the second one.
    "roc_auc": ("maximize", "probability"),
    "average_precision": ("maximize", "probability"),
    "brier": ("minimize", "probability"),
    "log_loss": ("minimize", "probability"),
    # Of any classifier, from the class that it predicts.
    "accuracy": ("maximize", "label"),
    "balanced_accuracy": ("maximize", "label"),
    "f1": ("maximize", "label"),
    "precision": ("maximize", "label"),
    "recall": ("maximize", "label"),
    # Of a regression.
    "mae": ("minimize", "value"),
    "rmse": ("minimize", "value"),
    "mape": ("minimize", "value"),
    "r2": ("maximize", "value"),
}
"""Each metric's better direction, and what it is computed from."""


def has_probabilities(names: Iterable[str]) -> bool:
    """Tell whether one of these metrics is about probabilities: then they can be calibrated."""
    return any(name in METRICS and METRICS[name][1] == "probability" for name in names)


def is_better(value: float, than: float, direction: str, by: float) -> bool:
    """Tell whether a value beats another by at least `by`; by 0, whether it is better at all."""
    gain = value - than if direction == "maximize" else than - value
    return gain > 0 and gain >= by

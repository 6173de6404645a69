"""Whether a candidate becomes the champion, by the rule that YAML has for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from factories.snowpark.config.schema import Direction, Promote
from factories.snowpark.in_snowflake.metric_names import is_better


@dataclass(frozen=True)
class Judgement:
    """Whether a candidate becomes the champion, and why."""

    promote: bool
    reason: str


def judge(
    promote: Promote | None, metrics: Mapping[str, Direction], report: Mapping[str, Any]
) -> Judgement:
    """Return whether a candidate is promoted.

    Args:
        promote: The rule; without one, a person promotes.
        metrics: Which direction is better, by metric.
        report: Of the training; the champion was measured on the candidate's validation rows.
    """
    if promote is None:
        return Judgement(False, "the file has no rule for it: run it with promote_version")
    name = promote.metric
    value = report["metrics"]["validation"][name]
    if missed := find_missed_threshold(promote, value):
        return Judgement(False, missed)
    champion = report["champion"]
    if champion is None:
        return Judgement(True, f"it is the first champion, with {name} {value:.4g}")
    label = f"the champion, version {champion['version']},"
    if "error" in champion:
        return Judgement(False, f"{label} cannot be measured on its rows: {champion['error']}")
    other, margin = champion["metrics"][name], promote.better_than_champion_by
    comparison = f"{name} is {value:.6g}, {label} has {other:.6g} on the same rows"
    if is_better(value, other, metrics[name], margin):
        return Judgement(True, comparison)
    margin_text = f" (must be better by {margin:g})" if margin else ""
    return Judgement(False, comparison + margin_text)


def find_missed_threshold(promote: Promote, value: float) -> str | None:
    """Return which bound a value misses, if it does."""
    if promote.at_least is not None and value < promote.at_least:
        return f"{promote.metric} is {value:.6g}, below the required {promote.at_least:g}"
    if promote.at_most is not None and value > promote.at_most:
        return f"{promote.metric} is {value:.6g}, above the allowed {promote.at_most:g}"
    return None

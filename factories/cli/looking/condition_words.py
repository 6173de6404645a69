"""Why an automation condition did not ask for an asset, from its last evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster._core.definitions.declarative_automation.serialized_objects import (
    AutomationConditionEvaluation,
)

from factories.core.conditions.node import WHY
from factories.core.conditions.operators import RETRY_LABEL

Evaluation = AutomationConditionEvaluation[Any]
AND, OR, NOT = "and", "or", "not"


def describe_evaluation(evaluation: Evaluation, name: str) -> str:
    """Return what an evaluation says: its reasons in words, else which part of it did not hold.

    Args:
        evaluation: Of one asset.
        name: The condition's.
    """
    if words := "; ".join(dict.fromkeys(_words(evaluation))):
        return words
    if evaluation.true_subset.size:
        return f"{name} asked for a run"
    return f"{name} asked for nothing, as this does not hold: {_first_unmet(evaluation)}"


def _words(evaluation: Evaluation) -> Iterator[str]:
    """Yield the reasons of an evaluation, also where a company's own condition combines ours."""
    for subset in evaluation.subsets_with_metadata:
        why = subset.metadata.get(WHY)
        if isinstance(why, dg.TextMetadataValue) and why.text:
            yield why.text
    for child in evaluation.child_evaluations:
        yield from _words(child)


def _first_unmet(evaluation: Evaluation) -> str:
    """Return the first part of a tree of Dagster's operators that held for nothing."""
    if evaluation.condition_snapshot.operator_type == AND:
        for child in evaluation.child_evaluations:
            if child.true_subset.size == 0:
                return _first_unmet(child)
    return _name(evaluation)


def _name(evaluation: Evaluation) -> str:
    """Return a part's label, else what Dagster calls it, with what it is made of."""
    snapshot = evaluation.condition_snapshot
    if snapshot.label:
        return snapshot.label.partition(" (")[0] if _is_retry(snapshot.label) else snapshot.label
    children = [_name(child) for child in evaluation.child_evaluations]
    if snapshot.operator_type == NOT:
        return f"not {children[0]}"
    if snapshot.operator_type in (AND, OR):
        return f" {snapshot.operator_type} ".join(children)
    return snapshot.name or snapshot.description


def _is_retry(label: str) -> bool:
    return RETRY_LABEL.fullmatch(label) is not None

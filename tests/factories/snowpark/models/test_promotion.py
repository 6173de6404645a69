"""Whether a candidate is promoted, and why."""

from __future__ import annotations

from typing import Any

import pytest

from factories.snowpark.config.schema import Direction, Promote
from factories.snowpark.models.promotion import judge

METRICS: dict[str, Direction] = {"roc_auc": "maximize", "brier": "minimize"}


def report(champion: dict[str, Any] | None = None, **validation: float) -> dict[str, Any]:
    return {"metrics": {"validation": validation}, "champion": champion}


def champion(**metrics: float) -> dict[str, Any]:
    return {"version": 4, "metrics": metrics}


@pytest.mark.parametrize(
    ("rule", "found", "promoted", "reason"),
    [
        ({"metric": "roc_auc"}, report(roc_auc=0.5), True, "the first champion, with roc_auc 0.5"),
        (
            {"metric": "roc_auc", "at_least": 0.6},
            report(roc_auc=0.59),
            False,
            "roc_auc is 0.59, below the required 0.6",
        ),
        (
            {"metric": "brier", "at_most": 0.2},
            report(brier=0.21),
            False,
            "brier is 0.21, above the allowed 0.2",
        ),
        (
            {"metric": "roc_auc"},
            report(champion(roc_auc=0.7), roc_auc=0.71),
            True,
            "roc_auc is 0.71, the champion, version 4, has 0.7 on the same rows",
        ),
        ({"metric": "roc_auc"}, report(champion(roc_auc=0.7), roc_auc=0.7), False, "has 0.7 on"),
        (
            {"metric": "roc_auc", "better_than_champion_by": 0.05},
            report(champion(roc_auc=0.7), roc_auc=0.74),
            False,
            "(must be better by 0.05)",
        ),
        ({"metric": "brier"}, report(champion(brier=0.2), brier=0.1), True, "version 4"),
        ({"metric": "brier"}, report(champion(brier=0.1), brier=0.2), False, "version 4"),
        (
            {"metric": "roc_auc"},
            report({"version": 4, "error": "no column rain"}, roc_auc=0.9),
            False,
            "the champion, version 4, cannot be measured on its rows: no column rain",
        ),
    ],
)
def test_a_candidate_is_judged_by_the_rule_of_its_file(
    rule: dict[str, Any], found: dict[str, Any], promoted: bool, reason: str
) -> None:
    judgement = judge(Promote(**rule), METRICS, found)
    assert judgement.promote is promoted
    assert reason in judgement.reason


def test_without_a_rule_a_person_promotes() -> None:
    judgement = judge(None, METRICS, report(roc_auc=1.0))
    assert not judgement.promote
    assert "promote_version" in judgement.reason

"""The built-in conditions as Dagster evaluates them: our node, or a tree of Dagster's operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from factories.core.conditions.node import RuleCondition
from factories.core.conditions.rule import AutomationRule


def build_condition(
    rule: AutomationRule, environ: Mapping[str, str]
) -> dg.AutomationCondition[Any]:
    """Return Dagster's condition for a rule."""
    return RuleCondition(label=rule.name, rule=rule)

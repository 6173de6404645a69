"""The built-in conditions as Dagster evaluates them: our node, or a tree of Dagster's operators.

The node needs a daemon that knows its class. One that does not, such as a hosted one, evaluates the
tree: `DP_CONDITIONS=operators`. It takes ten times as long, and cannot do what the node can:
`debounce`, `deps_since` and `catch_up` are refused, a tick that passes while the asset runs is
lost, partitions are run when they are the latest, and an update counts whether it has changed data
or not: `data_version_changed` would also compare versions that Dagster makes up. What failed, the
sensor `automation_retries` asks for again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import dagster as dg

from factories.core.conditions.node import RuleCondition
from factories.core.conditions.rule import (
    CRON_NO_DEPS,
    CRON_WITH_DEPS,
    LATEST,
    TICK,
    AutomationRule,
)

ENGINE = "DP_CONDITIONS"
NODE, OPERATORS = "node", "operators"
Condition = dg.AutomationCondition[Any]
RETRY_LABEL = re.compile(r"not in progress \(retry: (\d+) times after ([\d.]+) s\)")


class UnsupportedRuleError(ValueError):
    """A condition's config asks for what the chosen evaluation cannot do."""


def engine(environ: Mapping[str, str]) -> str:
    """Return how conditions are evaluated.

    Raises:
        UnsupportedRuleError: When the variable has another value.
    """
    chosen = environ.get(ENGINE) or NODE
    if chosen not in (NODE, OPERATORS):
        raise UnsupportedRuleError(f"{ENGINE} is {chosen!r}: it must be {NODE} or {OPERATORS}")
    return chosen


def build_condition(rule: AutomationRule, environ: Mapping[str, str]) -> Condition:
    """Return Dagster's condition for a rule.

    Raises:
        UnsupportedRuleError: When the chosen evaluation cannot do what the rule asks for.
    """
    if engine(environ) == NODE:
        return RuleCondition(label=rule.title, rule=rule)
    return _tree(rule)


def _tree(rule: AutomationRule) -> Condition:
    for name, given, default in (
        ("debounce", rule.debounce, 0.0),
        ("deps_since", rule.deps_since, TICK),
        ("catch_up", rule.catch_up, LATEST),
    ):
        if given != default:
            raise UnsupportedRuleError(f"{name} is not possible with {ENGINE}={OPERATORS}")
    idle = ~dg.AutomationCondition.in_progress()
    if rule.off:
        busy = dg.AutomationCondition.in_progress()
        return (busy & idle).with_label(rule.off)
    retries = f"not in progress (retry: {rule.tries} times after {rule.retry_delay} s)"
    ignored = _ignored(rule)
    condition = (
        dg.AutomationCondition.in_latest_time_window()
        & _causes(rule, ignored)
        & idle.with_label(retries)
    )
    return condition.with_label(rule.title)


def _causes(rule: AutomationRule, ignored: dg.AssetSelection) -> Condition:
    """Return when an asset is due; each part has a label that says it, for people.

    What happens since a request is written as "not asked for since it happened": in an evaluation
    that sees both, `since` lets its second event win, and the news must not be lost.
    """
    condition = dg.AutomationCondition
    requested = condition.newly_requested()
    if not rule.cron_schedule:
        happened = condition.newly_missing() | condition.any_deps_updated().ignore(ignored)
        changed = ~(condition.initial_evaluation() | requested).since(happened)
        unready = condition.in_progress() | condition.missing() | _a_check_failed()
        held = condition.any_deps_match(unready).ignore(ignored)
        return changed.with_label(
            "an upstream asset was updated, or it is missing, and not asked for"
        ) & (~held).with_label("no upstream asset is missing, being made, or failed in a check")
    tick: Condition = condition.cron_tick_passed(rule.cron_schedule, rule.cron_timezone)
    due = tick.since(condition.newly_updated()).with_label(
        "the cron has ticked since it was updated"
    ) & (~condition.any_deps_match(_a_check_failed()).ignore(ignored)).with_label(
        "no blocking check of an upstream asset has failed"
    )
    if rule.name == CRON_NO_DEPS:
        asked = tick.since(requested)
        return due & asked.with_label("the cron has ticked since it was asked for")
    assert rule.name == CRON_WITH_DEPS  # noqa: S101 - the third has no cron
    updated = condition.any_deps_match(condition.newly_updated()).ignore(ignored)
    news = (~requested.since(tick | updated)).with_label("there is news since it was asked for")
    current = condition.all_deps_updated_since_cron(rule.cron_schedule, rule.cron_timezone)
    current = current.ignore(ignored)
    label = "all upstream assets were updated since the cron ticked"
    return due & news & current.with_label(label)


def _ignored(rule: AutomationRule) -> dg.AssetSelection:
    """Return the assets that hold nothing back: those to ignore, and external ones.

    Nothing observes the latter, so a condition that waits for their update waits for ever. Seen
    with `on_cron` and `eager` in dagster 1.13.27.
    """
    every = dg.AssetSelection.all(include_sources=True)
    external = every - dg.AssetSelection.all(include_sources=False)
    if not rule.ignore:
        return external
    return external | dg.AssetSelection.assets(*(key.split("/") for key in rule.ignore))


def _a_check_failed() -> Condition:
    """Return the condition that a blocking check of an asset's present state has failed.

    A failed check holds back what is downstream in its own run; runs of other code locations, and
    later ones, know nothing of it (dagster #27760, #18472). One that has not run yet holds nothing
    back: else a check that was just added would.
    """
    failed = dg.AutomationCondition.check_failed()
    return dg.AutomationCondition.any_checks_match(failed, blocking_only=True)


def retries_of(condition: Condition) -> tuple[int, float] | None:
    """Return how often, and after how many seconds, a tree says that a failure is tried again."""
    if match := RETRY_LABEL.fullmatch(condition.get_label() or ""):
        return int(match[1]), float(match[2])
    return next((found for child in condition.children if (found := retries_of(child))), None)

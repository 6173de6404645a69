"""What a code location tells of an asset's automation and freshness, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg

# What the two constructors of `dg.FreshnessPolicy` return.
from dagster._core.definitions.freshness import CronFreshnessPolicy, TimeWindowFreshnessPolicy

from factories.core.conditions.node import RuleCondition
from factories.core.conditions.rule import condition_name


@dataclass(frozen=True)
class Cron:
    """A cron schedule."""

    schedule: str
    timezone: str

    def __str__(self) -> str:
        return f"{self.schedule} {self.timezone}"


@dataclass(frozen=True)
class ConditionFacts:
    """An automation condition.

    Attributes:
        name: As it is called in YAML, or in Dagster.
        crons: What ticks in it.
        off: Why it never asks for anything here; empty when it does.
    """

    name: str
    crons: tuple[Cron, ...] = ()
    off: str = ""

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> ConditionFacts:
        """Read what `asdict` made."""
        return cls(data["name"], tuple(Cron(**cron) for cron in data["crons"]), data["off"])


@dataclass(frozen=True)
class FreshnessFacts:
    """A freshness policy: a window in seconds, or a deadline.

    Attributes:
        fail_after: Stale when the last update is older.
        warn_after: A warning when the last update is older.
        deadline: When it must be updated.
        within: How long before the deadline an update counts.
    """

    fail_after: float = 0.0
    warn_after: float | None = None
    deadline: Cron | None = None
    within: float = 0.0

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> FreshnessFacts:
        """Read what `asdict` made."""
        deadline = Cron(**data["deadline"]) if data["deadline"] else None
        return cls(**{**data, "deadline": deadline})


def describe_condition(condition: dg.AutomationCondition[Any] | None) -> ConditionFacts | None:
    """Return what is to be told of an automation condition."""
    if condition is None:
        return None
    name = condition_name(condition.get_label() or condition.name or type(condition).__name__)
    crons = tuple(dict.fromkeys(_crons(condition)))
    off = condition.rule.off if isinstance(condition, RuleCondition) else ""
    return ConditionFacts(name, crons, off)


def _crons(condition: dg.AutomationCondition[Any]) -> Iterator[Cron]:
    """Yield the crons of a condition and of those that it is made of: ours and Dagster's."""
    told = condition.rule if isinstance(condition, RuleCondition) else condition
    schedule, timezone = (getattr(told, f"cron_{name}", "") for name in ("schedule", "timezone"))
    if schedule:
        yield Cron(schedule, timezone)
    for child in condition.children:
        yield from _crons(child)


def describe_freshness(policy: dg.FreshnessPolicy | None) -> FreshnessFacts | None:
    """Return what is to be told of a freshness policy."""
    if isinstance(policy, TimeWindowFreshnessPolicy):
        warn = policy.warn_window
        return FreshnessFacts(
            policy.fail_window.to_timedelta().total_seconds(),
            warn.to_timedelta().total_seconds() if warn else None,
        )
    if isinstance(policy, CronFreshnessPolicy):
        deadline = Cron(policy.deadline_cron, policy.timezone)
        return FreshnessFacts(deadline=deadline, within=policy.lower_bound_delta.total_seconds())
    return None

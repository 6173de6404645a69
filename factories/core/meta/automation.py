"""Automation conditions: one word in YAML says when a run is requested.

A company adds its own with `named_condition` and hands them to `build_definitions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from factories.core.meta.keys import AssetKeyNames, parse_key
from factories.core.meta.named_conditions import (
    Condition,
    ConditionCall,
    ConditionError,
    NamedCondition,
    NoConfig,
    named_condition,
)
from factories.core.meta.times import CronText, TimezoneText
from factories.core.yaml.models import StrictModel, validate
from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.validation import HasPosition

__all__ = [
    "BUILT_IN",
    "AutomationConditions",
    "Condition",
    "ConditionError",
    "CronConfig",
    "CronWithDepsConfig",
    "IgnoreConfig",
    "NamedCondition",
    "NoConfig",
    "automation_condition",
    "manual_only",
    "named_condition",
    "on_cron_no_deps",
    "on_cron_with_deps",
    "on_upstream_change",
]


class CronConfig(StrictModel):
    """When the cron ticks."""

    cron_schedule: CronText = Field(description="Five fields: minute hour day month weekday.")
    cron_timezone: TimezoneText = Field("UTC", description="Time zone of the schedule.")


class CronWithDepsConfig(CronConfig):
    """When the cron ticks, and what need not be waited for."""

    ignore: AssetKeyNames = Field((), description="Upstream asset keys that are not waited for.")


class IgnoreConfig(StrictModel):
    """What need not be waited for."""

    ignore: AssetKeyNames = Field((), description="Upstream asset keys that do not count.")


def _external() -> dg.AssetSelection:
    """Return the external assets, which no code location produces.

    Nothing observes them, so a condition that waits for their update waits for ever. Seen with
    `on_cron` and `eager` in dagster 1.13.27.
    """
    every = dg.AssetSelection.all(include_sources=True)
    return every - dg.AssetSelection.all(include_sources=False)


def _ignored(keys: Sequence[str]) -> dg.AssetSelection:
    if not keys:
        return _external()
    return _external() | dg.AssetSelection.assets(*(parse_key(key) for key in keys))


def _no_upstream_check_failed(ignored: dg.AssetSelection) -> Condition:
    """Return the condition that no blocking check of an upstream asset's present state has failed.

    A failed check holds back what is downstream in its own run; runs of other code locations, and
    later ones, know nothing of it (dagster #27760, #18472). One that has not run yet holds nothing
    back: else a check that was just added would.
    """
    failed = dg.AutomationCondition.any_checks_match(
        dg.AutomationCondition.check_failed(), blocking_only=True
    )
    upstream = dg.AutomationCondition.any_deps_match(failed).ignore(ignored)
    return (~upstream).with_label("no_upstream_check_failed")


@named_condition("on_cron_no_deps")
def on_cron_no_deps(config: CronConfig) -> Condition:
    """Request a run when the cron ticks, whatever the dependencies' state."""
    ticked: Condition = dg.AutomationCondition.cron_tick_passed(
        config.cron_schedule, config.cron_timezone
    )
    return (
        dg.AutomationCondition.in_latest_time_window()
        & ticked.since_last_handled()
        & ~dg.AutomationCondition.in_progress()
    ).with_label("on_cron_no_deps")


@named_condition("on_cron_with_deps")
def on_cron_with_deps(config: CronWithDepsConfig) -> Condition:
    """Request a run when the cron has ticked and every upstream asset has updated since.

    Not while a blocking check of one of them has failed.
    """
    ignored = _ignored(config.ignore)
    condition = dg.AutomationCondition.on_cron(config.cron_schedule, config.cron_timezone)
    return (
        condition.ignore(ignored)
        & _no_upstream_check_failed(ignored)
        & ~dg.AutomationCondition.in_progress()
    ).with_label("on_cron_with_deps")


@named_condition("on_upstream_change")
def on_upstream_change(config: IgnoreConfig) -> Condition:
    """Request a run when any upstream asset was updated and none is missing or in progress.

    Not while a blocking check of one of them has failed.
    """
    ignored = _ignored(config.ignore)
    return (
        dg.AutomationCondition.eager().ignore(ignored) & _no_upstream_check_failed(ignored)
    ).with_label("on_upstream_change")


@named_condition("manual_only")
def manual_only(_config: NoConfig) -> None:
    """Never request a run."""


BUILT_IN: tuple[NamedCondition, ...] = (
    on_cron_no_deps,
    on_cron_with_deps,
    on_upstream_change,
    manual_only,
)


def automation_condition(name: str, **config: object) -> Condition | None:
    """Return Dagster's condition for a word that YAML uses, for `@asset(automation_condition=…)`.

    Args:
        name: One of the built-in conditions; a company's own is called itself.
        **config: What stands under `automation_condition_config` in YAML.

    Raises:
        ConditionError: When there is no such condition, or its config is wrong.

    Example:
        >>> automation_condition("on_cron_no_deps", cron_schedule="0 5 * * *").get_label()
        'on_cron_no_deps'
    """
    by_name = {condition.name: condition for condition in BUILT_IN}
    if name not in by_name:
        message = f"{name!r} is not an automation condition"
        near = nearest(name, by_name)
        places = ConditionCall(name)
        raise ConditionError([places.problem([], message, allowed=tuple(by_name), nearest=near)])
    return by_name[name](**config)


class AutomationConditions:
    """The conditions that a code location's YAML may name."""

    def __init__(self, own: Iterable[NamedCondition] = ()) -> None:
        """Join the built-in conditions and the company's own.

        Raises:
            ValueError: When a name is taken already.
        """
        by_name: dict[str, NamedCondition] = {}
        for condition in (*BUILT_IN, *own):
            if condition.name in by_name:
                raise ValueError(f"two automation conditions are named {condition.name!r}")
            by_name[condition.name] = condition
        self._by_name = by_name
        self._built: dict[str, Condition | None] = {}

    @property
    def names(self) -> list[str]:
        """The names that YAML may use."""
        return list(self._by_name)

    @property
    def config_keys(self) -> Mapping[str, set[str]]:
        """The keys of each condition's config, by the condition's name."""
        return {name: condition.config_keys for name, condition in self._by_name.items()}

    def resolve(
        self,
        name: str | None,
        config: Mapping[str, Any] | None,
        places: HasPosition,
        problems: list[Problem],
    ) -> Condition | None:
        """Return the Dagster condition for a name and its config.

        Args:
            name: The word in YAML; None, like `manual_only`, yields None.
            config: The value of `automation_condition_config`.
            places: Where the `meta.dagster` block was written.
            problems: Receives an unknown name, with the nearest, and wrong config.
        """
        if name is None:
            return None
        condition = self._by_name.get(name)
        if condition is None:
            problems.append(
                places.problem(
                    ["automation_condition"],
                    f"{name!r} is not an automation condition",
                    allowed=self.names,
                    nearest=nearest(name, self.names),
                )
            )
            return None
        # Thousands of assets share a few conditions, so each is built once.
        memo = f"{name}:{sorted((config or {}).items(), key=str)}"
        if memo not in self._built:
            needed = [key for key, f in condition.config.model_fields.items() if f.is_required()]
            if needed and not config:
                example = ", ".join(f"{key}: …" for key in needed)
                message = f"{name} needs automation_condition_config: {{{example}}}"
                problems.append(places.problem(["automation_condition"], message))
                return None
            found: list[Problem] = []
            inside = _ConfigPlaces(places)
            model = validate(condition.config, dict(config or {}), inside, found)
            if found or model is None:
                problems.extend(found)
                return None
            self._built[memo] = condition.build(model)
        return self._built[memo]


class _ConfigPlaces:
    """The places inside a block's `automation_condition_config`."""

    def __init__(self, block: HasPosition) -> None:
        self._block = block

    def problem(self, path: Sequence[str | int], message: str, **details: Any) -> Problem:
        inside = ["automation_condition_config", *path]
        return self._block.problem(inside, message, **details)

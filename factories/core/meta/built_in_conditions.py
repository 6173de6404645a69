"""The automation conditions that every code location has, and the config that each takes.

A company adds its own with `named_condition` and hands them to `build_definitions`.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg
from pydantic import Field

from factories.core.meta.keys import AssetKeyNames, parse_key
from factories.core.meta.named_conditions import (
    Condition,
    NamedCondition,
    NoConfig,
    named_condition,
)
from factories.core.meta.times import CronText, TimezoneText
from factories.core.yaml.models import StrictModel


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

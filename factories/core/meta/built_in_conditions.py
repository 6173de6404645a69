"""The automation conditions that every code location has, and the config that each takes.

A company adds its own with `named_condition` and hands them to `build_definitions`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StrictStr

from factories.core.conditions.operators import build_condition
from factories.core.conditions.rule import (
    ALL,
    CRON_NO_DEPS,
    CRON_WITH_DEPS,
    LATEST,
    MIDNIGHT,
    TICK,
    UPSTREAM_CHANGE,
    AutomationRule,
)
from factories.core.meta.environments import EnvironmentNames, why_off_here
from factories.core.meta.keys import AssetKeyNames
from factories.core.meta.named_conditions import (
    Condition,
    NamedCondition,
    NoConfig,
    named_condition,
)
from factories.core.meta.times import CronText, TimezoneText, check_cron
from factories.core.yaml.models import Duration, StrictModel
from factories.core.yaml.problems import did_you_mean, nearest


def _since(value: str) -> str:
    return value if value in (TICK, MIDNIGHT) else check_cron(value)


def _catch_up(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"must be {LATEST}, {ALL} or a number of partitions")  # noqa: TRY004 - pydantic takes it for a mistake of the user's
    if isinstance(value, str) and value not in (LATEST, ALL):
        hint = did_you_mean(nearest(value, (LATEST, ALL)))
        raise ValueError(f"{value!r} is not {LATEST}, {ALL} or a number of partitions{hint}")
    if isinstance(value, int) and value < 1:
        raise ValueError("must be 1 at least")
    return str(value)


class RetryConfig(StrictModel):
    """What happens after a run that was asked for has failed."""

    max: Annotated[StrictInt, Field(ge=0, le=100)] = Field(
        3, description="Further tries, of what failed alone."
    )
    delay: Duration = Field(timedelta(minutes=5), description="Wait before each.")


class AnyConfig(StrictModel):
    """What every condition takes."""

    retry: RetryConfig = Field(
        RetryConfig(), description="How often a failure is tried again before the next cause."
    )
    catch_up: Annotated[StrictStr, BeforeValidator(_catch_up)] = Field(
        LATEST,
        description="Of the time partitions that are due, for example after an outage: `latest`,"
        " `all` that are missing, or a number of the last.",
    )
    debounce: Duration = Field(
        timedelta(0), description="After the first cause, wait so long for what else changes."
    )
    environments: EnvironmentNames | None = Field(
        None,
        description="The targets in which it is on: `local`, `dev`, `prod`, `branch` (any other)."
        " In another one it asks for nothing.",
    )


class CronConfig(AnyConfig):
    """When the cron ticks."""

    cron_schedule: CronText = Field(description="Five fields: minute hour day month weekday.")
    cron_timezone: TimezoneText = Field("UTC", description="Time zone of the schedule.")
    ignore: AssetKeyNames = Field((), description="Upstream asset keys that hold nothing back.")


class CronWithDepsConfig(CronConfig):
    """When the cron ticks, and what has to be updated before."""

    deps_since: Annotated[StrictStr, AfterValidator(_since)] = Field(
        TICK,
        description="Since when upstream assets must have been updated: the `tick`, the `midnight`"
        " before it in the time zone, or the last tick of another cron.",
    )


class ChangeConfig(AnyConfig):
    """Which changes count."""

    ignore: AssetKeyNames = Field((), description="Upstream asset keys that do not count.")


def _rule(name: str, config: AnyConfig, environ: Mapping[str, str] = os.environ) -> Condition:
    off = why_off_here(config.environments, environ) or ""
    settings = ("retry", "debounce", "environments", "ignore")
    values = {key: value for key, value in config if key not in settings}
    rule = AutomationRule(
        name=name,
        **values,
        ignore=list(getattr(config, "ignore", ())),
        debounce=config.debounce.total_seconds(),
        tries=config.retry.max,
        retry_delay=config.retry.delay.total_seconds(),
        off=off,
    )
    return build_condition(rule, environ)


@named_condition(CRON_NO_DEPS)
def on_cron_no_deps(config: CronConfig) -> Condition:
    """Request a run when the cron ticks, whatever the state of the upstream assets.

    Not while a blocking check of one of them has failed.
    """
    return _rule(CRON_NO_DEPS, config)


@named_condition(CRON_WITH_DEPS)
def on_cron_with_deps(config: CronWithDepsConfig) -> Condition:
    """Request a run when the cron has ticked and every upstream asset has updated since.

    Not while a blocking check of one of them has failed.
    """
    return _rule(CRON_WITH_DEPS, config)


@named_condition(UPSTREAM_CHANGE)
def on_upstream_change(config: ChangeConfig) -> Condition:
    """Request a run when any upstream asset was updated and none is missing or in progress.

    Not while a blocking check of one of them has failed.
    """
    return _rule(UPSTREAM_CHANGE, config)


@named_condition("manual_only")
def manual_only(_config: NoConfig) -> None:
    """Never request a run."""


BUILT_IN: tuple[NamedCondition, ...] = (
    on_cron_no_deps,
    on_cron_with_deps,
    on_upstream_change,
    manual_only,
)

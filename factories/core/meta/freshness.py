"""Freshness policies: when an asset counts as stale."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
from pydantic import Field, StrictBool, model_validator

from factories.core.meta.times import CronText, TimezoneText, shortest_interval
from factories.core.yaml.models import Duration, StrictModel

SHORTEST = timedelta(minutes=1)  # Dagster's own limit


class FreshnessSpec(StrictModel):
    """Either a window (`fail_after`, `warn_after`) or a deadline (`cron`, `within`)."""

    fail_after: Duration | None = Field(
        None, description="Stale when the last update is older than this."
    )
    warn_after: Duration | None = Field(
        None, description="A warning when the last update is older than this."
    )
    cron: CronText | None = Field(None, description="A deadline by which it must be updated.")
    within: Duration = Field(
        timedelta(hours=1), description="How long before the deadline an update counts."
    )
    timezone: TimezoneText = Field("UTC", description="Time zone of the deadline.")
    per_partition: StrictBool = Field(
        False,
        description="With `cron`, of an asset with partitions of time: a check that the last"
        " partition that had ended by the deadline was made, in place of a policy, to which any"
        " partition's update counts.",
    )

    @model_validator(mode="after")
    def _one_of_two_forms(self) -> FreshnessSpec:
        if (self.fail_after is None) == (self.cron is None):
            raise ValueError("give either fail_after (and warn_after), or cron (and within)")
        if self.cron is not None and self.warn_after is not None:
            raise ValueError("warn_after goes with fail_after, not with cron")
        if self.cron is None and self.model_fields_set & {"within", "timezone"}:
            raise ValueError("within and timezone go with cron, not with fail_after")
        if self.per_partition and (self.cron is None or "within" in self.model_fields_set):
            raise ValueError("per_partition goes with cron and timezone alone")
        if self.fail_after and self.warn_after and self.warn_after >= self.fail_after:
            raise ValueError("warn_after must be shorter than fail_after")
        for name in ("fail_after", "warn_after", "within"):
            if (given := getattr(self, name)) is not None and given < SHORTEST:
                raise ValueError(f"{name} must be a minute at least")
        if self.cron is None or self.per_partition:
            return self
        if self.within > (shortest := shortest_interval(self.cron)):
            raise ValueError(
                f"within is longer than the time between two deadlines, {shortest}: an update"
                " would count for both"
            )
        return self


def freshness_policy(spec: FreshnessSpec | None) -> dg.FreshnessPolicy | None:
    """Return the Dagster policy that a `freshness` block describes.

    None also where each partition has a deadline of its own: a check looks at these.
    """
    if spec is None or spec.per_partition:
        return None
    if spec.cron is not None:
        return dg.FreshnessPolicy.cron(
            deadline_cron=spec.cron, lower_bound_delta=spec.within, timezone=spec.timezone
        )
    if spec.fail_after is None:  # the model's own check has made this impossible
        raise AssertionError
    return dg.FreshnessPolicy.time_window(fail_window=spec.fail_after, warn_window=spec.warn_after)

"""What the jobs and schedules of YAML may say, and what every sensor may."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, StrictBool, StrictStr, model_validator

from factories.core.meta.dagster_meta import check_tag_key
from factories.core.meta.environments import EnvironmentNames
from factories.core.meta.times import CronText, TimezoneText
from factories.core.yaml.models import Duration, StrictModel

RESERVED_TAGS = ("dagster/", ".dagster/", "dp/")
TARGET_KEYS = ("job", "selection", "dbt_select")


def _tag_key(value: str) -> str:
    if value.startswith(RESERVED_TAGS):
        prefix = f"{value.partition('/')[0]}/"
        raise ValueError(f"{value!r}: tags that begin with {prefix} are set by the factories")
    return check_tag_key(value)


def _filled(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


FilledText = Annotated[StrictStr, AfterValidator(_filled)]
Tags = dict[Annotated[StrictStr, AfterValidator(_tag_key)], StrictStr]


class AutomationFile(StrictModel):
    """Jobs, schedules and sensors of a code location, each under its name."""

    jobs: dict[StrictStr, Any] = Field({}, description="Jobs by name.")
    schedules: dict[StrictStr, Any] = Field({}, description="Schedules by name.")
    sensors: dict[StrictStr, Any] = Field({}, description="Sensors by name.")


class JobItem(StrictModel):
    """Assets that one run makes."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "partitions": "is not set: a job has the partitions of the assets that it selects",
        "partition": "is not set: a job has the partitions of the assets that it selects",
        "cron": "belongs to a schedule",
        "hooks": "is no key: alerts tell of failures",
    }

    selection: FilledText | None = Field(
        None, description="Dagster's selection syntax, such as `group:flight_ops or key:a/raw/b+`."
    )
    dbt_select: FilledText | None = Field(
        None, description="dbt's selection syntax, such as `tag:daily` or `+fct_flights`."
    )
    dbt_exclude: FilledText | None = Field(
        None, description="What to leave out of `dbt_select`, in the same syntax."
    )
    description: StrictStr | None = Field(None, description="Shown in the UI.")
    run_config: dict[StrictStr, Any] = Field({}, description="Configuration of each run.")
    tags: Tags = Field({}, description="Tags of each run.")

    @model_validator(mode="after")
    def _selects_one_way(self) -> JobItem:
        _check_one_of(self, ("selection", "dbt_select"))
        return self


class AutomatedItem(StrictModel):
    """What schedules and sensors have in common: what they run, and where they are on."""

    job: FilledText | None = Field(None, description="The job to run, of YAML or Python.")
    selection: FilledText | None = Field(
        None, description="What to run in place of a job, in Dagster's selection syntax."
    )
    dbt_select: FilledText | None = Field(
        None, description="What to run in place of a job, in dbt's selection syntax."
    )
    dbt_exclude: FilledText | None = Field(
        None, description="What to leave out of `dbt_select`, in the same syntax."
    )
    description: StrictStr | None = Field(None, description="Shown in the UI.")
    run_config: dict[StrictStr, Any] = Field(
        {}, description="Configuration of each run, over that of the job, key by key."
    )
    tags: Tags = Field({}, description="Tags of each run.")
    environments: EnvironmentNames | None = Field(
        None,
        description="The targets in which it is on: `local`, `dev`, `prod`, `branch` (any other)."
        " In another one it waits, switched off.",
    )
    enabled: StrictBool = Field(
        True, description="Whether it is on when it is first loaded; the UI can switch it later."
    )

    @model_validator(mode="after")
    def _runs_one_thing(self) -> AutomatedItem:
        _check_one_of(self, TARGET_KEYS)
        return self


class ScheduleItem(AutomatedItem):
    """Runs something at set times; of partitioned assets, the partition that has just ended."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "cron_schedule": "is called cron here",
        "cron_timezone": "is called timezone here",
        "execution_timezone": "is called timezone here",
    }

    cron: CronText = Field(description="When it ticks.")
    timezone: TimezoneText = Field("UTC", description="The time zone of `cron`.")


class SensorItem(AutomatedItem):
    """What every sensor may say."""

    type: StrictStr = Field(description="What it looks at.")
    minimum_interval: Duration = Field(
        timedelta(seconds=30), description="How long it waits, at least, before it looks again."
    )


def _check_one_of(item: StrictModel, keys: tuple[str, ...]) -> None:
    """Check that an entry says in one way what it runs.

    Raises:
        ValueError: When it does not.
    """
    given = [key for key in keys if getattr(item, key) is not None]
    listed = f"{', '.join(keys[:-1])} or {keys[-1]}"
    if not given:
        raise ValueError(f"says nothing to run: give {listed}")
    if len(given) > 1:
        raise ValueError(f"{given[0]} and {given[1]} exclude each other: give one of {listed}")
    if getattr(item, "dbt_exclude", None) is not None and "dbt_select" not in given:
        raise ValueError("dbt_exclude needs dbt_select, of which it leaves something out")

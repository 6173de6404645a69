"""The `partition` block of YAML, and the Dagster definition that it stands for."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import dagster as dg
from pydantic import Field, StrictStr, field_validator, model_validator

from factories.core.meta.times import DateText, TimezoneText
from factories.core.yaml.models import StrictModel

TIME_PARTITIONS: dict[str, type[dg.TimeWindowPartitionsDefinition]] = {
    "hourly": dg.HourlyPartitionsDefinition,
    "daily": dg.DailyPartitionsDefinition,
    "weekly": dg.WeeklyPartitionsDefinition,
    "monthly": dg.MonthlyPartitionsDefinition,
}
KEY_FORMAT = {"hourly": "%Y-%m-%d-%H:%M"}
DEFAULT_KEY_FORMAT = "%Y-%m-%d"
SUNDAY = 7
A_WEEK, A_YEAR = timedelta(days=7), timedelta(days=365)
# As Dagster has it (dagster/_core/definitions/partitions/utils/base.py, 1.13.27).
NOT_IN_A_KEY = re.compile(r"\.\.\.|[\a\b\f\n\r\t\v\0]")


class PartitionSpec(StrictModel):
    """Partitions by time, or by a fixed list of keys."""

    type: Literal["hourly", "daily", "weekly", "monthly", "static"] = Field(
        description="What a partition is."
    )
    start: DateText | None = Field(None, description="Where the first partition begins.")
    end: DateText | None = Field(
        None, description="Where the last partition ends; without it they go on to the present."
    )
    timezone: TimezoneText = Field("UTC", description="Time zone of the partitions' bounds.")
    keys: tuple[StrictStr, ...] | None = Field(None, description="The keys of a static partition.")
    column: StrictStr | None = Field(
        None, description="The source's column that holds a row's time or key."
    )

    @field_validator("keys")
    @classmethod
    def _are_keys(cls, keys: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for key in keys or ():
            if not key or NOT_IN_A_KEY.search(key):
                raise ValueError(
                    f"{key!r} is not a partition's key: it is empty, or holds a tab, a line break"
                    " or '...'"
                )
        return keys

    @model_validator(mode="after")
    def _matches_its_type(self) -> PartitionSpec:
        if self.type == "static":
            if not self.keys:
                raise ValueError("a static partition needs keys")
            if len(set(self.keys)) != len(self.keys):
                raise ValueError("a static partition's keys must differ")
            if self.start is not None or self.end is not None:
                raise ValueError("a static partition has neither start nor end")
            return self
        if self.keys is not None:
            raise ValueError(f"a {self.type} partition has no keys")
        if self.start is None:
            raise ValueError(f"a {self.type} partition needs a start")
        if self.end is not None and datetime.fromisoformat(self.end) <= datetime.fromisoformat(
            self.start
        ):
            raise ValueError("end must come after start")
        for name, value in (("start", self.start), ("end", self.end)):
            if value and (where := _misplaced(self.type, datetime.fromisoformat(value))):
                # Dagster would take the next bound, and the rows before it would never be loaded.
                raise ValueError(f"{name}: {self.type} partitions begin {where}, not {value}")
        return self

    @model_validator(mode="after")
    def _has_whole_hours(self) -> PartitionSpec:
        if self.type == "hourly" and self.start and (day := _find_uneven_change(self)):
            # Dagster's hours would skip half an hour there: rows that no partition loads.
            raise ValueError(
                f"timezone: the clocks of {self.timezone} change by a part of an hour, as before"
                f" {day}, which hourly partitions cannot follow: use UTC, or partition by day"
            )
        return self


def _misplaced(kind: str, moment: datetime) -> str | None:
    """Return where partitions of this kind begin, when the moment is elsewhere."""
    if (moment.minute, moment.second, moment.microsecond) != (0, 0, 0):
        return "on the full hour"
    if kind != "hourly" and moment.hour:
        return "at midnight"
    if kind == "weekly" and moment.isoweekday() != SUNDAY:
        return f"on a Sunday like {moment.date() - timedelta(days=moment.isoweekday())}"
    if kind == "monthly" and moment.day != 1:
        return "on the first of a month"
    return None


def _find_uneven_change(spec: PartitionSpec) -> date | None:
    """Return a day before which clocks change by a part of an hour; looks a year ahead."""
    zone = ZoneInfo(spec.timezone)
    moment = datetime.fromisoformat(str(spec.start))
    end = datetime.fromisoformat(spec.end) if spec.end else datetime.now() + A_YEAR  # noqa: DTZ005 - the zone makes no difference of a week
    first = _minutes(moment, zone)
    while moment < end + A_WEEK:
        if _minutes(moment, zone) != first:
            return moment.date()
        moment += A_WEEK
    return None


def _minutes(moment: datetime, zone: ZoneInfo) -> float:
    offset = moment.replace(tzinfo=zone).utcoffset()
    return offset.total_seconds() % 3600 if offset else 0


@lru_cache(maxsize=256)
def partitions_definition(spec: PartitionSpec) -> dg.PartitionsDefinition[str]:
    """Return the Dagster definition of a `partition` block."""
    if spec.type == "static":
        return dg.StaticPartitionsDefinition(list(spec.keys or ()))
    zone = ZoneInfo(spec.timezone)
    start = datetime.fromisoformat(str(spec.start)).replace(tzinfo=zone)
    end = datetime.fromisoformat(spec.end).replace(tzinfo=zone) if spec.end else None
    make: Callable[..., dg.PartitionsDefinition[str]] = TIME_PARTITIONS[spec.type]
    return make(
        start_date=start,
        end_date=end,
        timezone=spec.timezone,
        fmt=KEY_FORMAT.get(spec.type, DEFAULT_KEY_FORMAT),
    )

"""Checks how old the newest value of a column of dates or timestamps is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from factories.core.execution.checks.outcomes import Outcome, Question
from factories.core.meta.check_columns import ColumnFreshnessCheck
from factories.core.meta.check_descriptions import format_span
from factories.core.warehouse.quoting import sql_identifier

INSTANTS = ("TIMESTAMP_TZ", "TIMESTAMP_LTZ")
WALL_TIMES = ("TIMESTAMP_NTZ", "DATE")
NOW = "date_part(epoch_second, current_timestamp())"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ask_freshness(rule: ColumnFreshnessCheck, column: str, kind: str) -> Question | Outcome:
    """Return what the check asks: the newest value, and the warehouse's time.

    Args:
        rule: What YAML says.
        column: The column, as it is stored.
        kind: Its type.
    """
    name = kind.upper().partition("(")[0].strip()
    if name not in INSTANTS + WALL_TIMES:
        text = f"The column {column} is {kind}, neither a date nor a timestamp."
        return Outcome(passed=False, description=text)
    newest = f"max({sql_identifier(column)})"
    if name == "DATE":
        newest = f"{newest}::timestamp_ntz"
    zone = ZoneInfo(rule.timezone) if name in WALL_TIMES else None
    return Question(
        (f"date_part(epoch_second, {newest})", NOW), partial(_judge, rule, column, zone)
    )


def _judge(
    rule: ColumnFreshnessCheck, column: str, zone: ZoneInfo | None, values: Sequence[Any]
) -> Outcome:
    limit = {"max_age_in_seconds": rule.max_age.total_seconds()}
    newest, now = values
    if newest is None:
        none = f"The column {column} has no value, so nothing in it is fresh."
        return Outcome(passed=False, metadata=limit, description=none)
    try:
        moment = EPOCH + timedelta(seconds=int(newest))
        if zone is not None:  # the seconds are those of a clock in UTC that showed the same
            moment = moment.replace(tzinfo=zone)
        age = timedelta(seconds=int(now)) - (moment - EPOCH)
    except OverflowError:
        odd = f"The newest value of the column {column} is in no year from 1 to 9999."
        return Outcome(passed=False, metadata=limit, description=odd)
    metadata = {
        "newest": dg.MetadataValue.timestamp(moment.timestamp()),
        "age_in_seconds": age.total_seconds(),
        **limit,
    }
    text: str | None = None
    if age > rule.max_age:
        text = f"The newest value is {format_span(age)} old, {format_span(rule.max_age)} at most."
    elif age < timedelta(0):
        text = f"The newest value lies {format_span(-age)} in the future."
    return Outcome(age <= rule.max_age, metadata, text)

"""The partitions of a run as a condition on a column, and the rows that it holds for."""

from __future__ import annotations

from datetime import UTC, datetime, time

from snowflake.snowpark.types import (
    DataType,
    DateType,
    StructField,
    StructType,
    TimestampTimeZone,
    TimestampType,
)

from factories.core.execution.window import UnreadableWindowError, Window
from factories.core.warehouse.quoting import sql_literal

Covered = Window | tuple[str, ...]
WALL_TIME = "%Y-%m-%d %H:%M:%S.%f"
ZONED = (TimestampTimeZone.TZ, TimestampTimeZone.LTZ)


def unquote_name(name: str) -> str:
    """Return a column's name as Snowpark has it, without quotes and in upper case."""
    return name.strip('"').upper()


def find_column(schema: StructType, name: str) -> str | None:
    """Return what SQL calls the column of a name in YAML; None when there is no such column."""
    field = _find_field(schema, name)
    return field.column_identifier.quoted_name if field else None


def build_condition(schema: StructType, name: str, covered: Covered) -> str:
    """Return the SQL condition on a column for the rows of some partitions.

    The window is half-open, start <= x < end: a row on a bound belongs to one partition. A column
    without zone is taken to hold wall time in the partitions' own zone; one with a zone is compared
    by the instant.

    Raises:
        UnreadableWindowError: When the column does not say which partition a row is in.
    """
    field = _find_field(schema, name)
    if field is None:
        raise UnreadableWindowError(f"there is no column {name}, which holds a row's partition")
    column = field.column_identifier.quoted_name
    if not isinstance(covered, Window):
        keys = ", ".join(sql_literal(key) for key in covered)
        return f"to_varchar({column}) in ({keys})"
    low, high = (
        _format_bound(moment, field.datatype, name) for moment in (covered.start, covered.end)
    )
    return f"{column} >= {low} and {column} < {high}"


def _find_field(schema: StructType, name: str) -> StructField | None:
    return next(
        (field for field in schema.fields if unquote_name(field.name) == name.upper()), None
    )


def _format_bound(moment: datetime, kind: DataType, name: str) -> str:
    if isinstance(kind, DateType):
        if moment.timetz().replace(tzinfo=None) != time():
            message = (
                f"the column {name} holds dates: they cannot place a row in an hourly partition"
            )
            raise UnreadableWindowError(message)
        return f"{sql_literal(str(moment.date()))}::date"
    if not isinstance(kind, TimestampType):
        message = f"the column {name} holds neither dates nor times, but {kind.simple_string()}"
        raise UnreadableWindowError(message)
    if kind.tz in ZONED:
        instant = moment.astimezone(UTC).strftime(WALL_TIME)
        return f"{sql_literal(f'{instant}+00:00')}::timestamp_tz"
    return f"{sql_literal(moment.strftime(WALL_TIME))}::timestamp_ntz"

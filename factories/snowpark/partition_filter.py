"""The partitions of a run as a condition on a column, and the rows that it holds for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from snowflake.snowpark.types import (
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampTimeZone,
    TimestampType,
    VariantType,
)

from factories.core.execution.window import UnreadableWindowError, Window
from factories.core.warehouse.quoting import sql_literal
from factories.snowpark.errors import SnowparkStepError

Covered = Window | tuple[str, ...]
WALL_TIME = "%Y-%m-%d %H:%M:%S.%f"
ZONED = (TimestampTimeZone.TZ, TimestampTimeZone.LTZ)


class AmbiguousColumnError(SnowparkStepError):
    """Several columns have a name that YAML gives: they differ in their case alone."""


def column_name(identifier: str) -> str:
    """Return a column's name as the warehouse stores it, of what SQL calls it."""
    return identifier[1:-1].replace('""', '"')


def format_names(names: Iterable[str]) -> str:
    """Return columns as a person writes them: in lower case where SQL needs no quotes."""
    return ", ".join(name.lower() if name == name.upper() else name for name in names)


def find_column(schema: StructType, name: str) -> str | None:
    """Return what SQL calls the column of a name in YAML; None when there is no such column.

    Raises:
        AmbiguousColumnError: When several differ from it in their case alone.
    """
    field = _find_field(schema, name)
    return field.column_identifier.quoted_name if field else None


def build_condition(schema: StructType, name: str, covered: Covered) -> str:
    """Return the SQL condition on a column for the rows of some partitions.

    The window is half-open, start <= x < end: a row on a bound belongs to one partition. A column
    without zone is taken to hold wall time in the partitions' own zone; one with a zone is compared
    by the instant.

    Raises:
        UnreadableWindowError: When the column does not say which partition a row is in.
        AmbiguousColumnError: When several columns have the name.
    """
    field = _find_field(schema, name)
    if field is None:
        raise UnreadableWindowError(f"there is no column {name}, which holds a row's partition")
    column = field.column_identifier.quoted_name
    if not isinstance(covered, Window):
        keys = ", ".join(sql_literal(key) for key in covered)
        return f"{_format_key(column, field.datatype, name)} in ({keys})"
    low, high = _format_bounds(covered, field.datatype, name)
    return f"{column} >= {low} and {column} < {high}"


def _find_field(schema: StructType, name: str) -> StructField | None:
    """Return the column that is written as YAML has it, else the only one but for its case."""
    alike = {
        column_name(field.column_identifier.quoted_name): field
        for field in schema.fields
        if column_name(field.column_identifier.quoted_name).upper() == name.upper()
    }
    if len(alike) > 1 and name not in alike:
        raise AmbiguousColumnError(
            f"{name} may be each of the columns {', '.join(alike)}: write it as one of them"
        )
    return alike.get(name) or next(iter(alike.values()), None)


def _format_key(column: str, kind: DataType, name: str) -> str:
    """Return a column's value as the text that a static partition's key is."""
    if isinstance(kind, DateType):
        # Without a format it would be that of the session.
        return f"to_varchar({column}, 'YYYY-MM-DD')"
    whole = isinstance(kind, LongType) or (isinstance(kind, DecimalType) and kind.scale == 0)
    if whole or isinstance(kind, (StringType, BooleanType, VariantType)):
        return f"to_varchar({column})"
    message = (
        f"the column {name} holds {kind.simple_string()}: a static partition's key is a text, a"
        " whole number, a date, or true or false"
    )
    raise UnreadableWindowError(message)


def _format_bounds(window: Window, kind: DataType, name: str) -> tuple[str, str]:
    if isinstance(kind, DateType):
        if not (_begins_day(window.start) and _begins_day(window.end)):
            message = (
                f"the column {name} holds dates: they cannot place a row in an hourly partition"
            )
            raise UnreadableWindowError(message)
        first, last = (sql_literal(str(m.date())) for m in (window.start, window.end))
        return f"{first}::date", f"{last}::date"
    if not isinstance(kind, TimestampType):
        message = f"the column {name} holds neither dates nor times, but {kind.simple_string()}"
        raise UnreadableWindowError(message)
    if kind.tz in ZONED:
        instants = (moment.astimezone(UTC) for moment in (window.start, window.end))
        low, high = (sql_literal(f"{i.strftime(WALL_TIME)}+00:00") for i in instants)
        return f"{low}::timestamp_tz", f"{high}::timestamp_tz"
    low, high = (sql_literal(moment.strftime(WALL_TIME)) for moment in window.times_of_day)
    return f"{low}::timestamp_ntz", f"{high}::timestamp_ntz"


def _begins_day(moment: datetime) -> bool:
    """Tell whether a day begins then: at midnight, or later where the clocks leave that out."""
    before = (moment.astimezone(UTC) - timedelta(microseconds=1)).astimezone(moment.tzinfo)
    return before.date() < moment.date()

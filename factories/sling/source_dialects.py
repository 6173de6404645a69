"""How the systems that Sling reads write names, texts and times in SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

# What stands around or behind a type's name: `Nullable(DateTime64(6))`, `timestamp(3)`.
WRAPPER = re.compile(r"^(?:nullable|lowcardinality)\((.*)\)$")
SIZE = re.compile(r"\([^)]*\)")
ZONE_WORDS = ("with time zone", "with local time zone")
ZONED = frozenset(
    {"timestamptz", "timestampz", "timestamp_tz", "timestamp_ltz", "datetimeoffset"}
    | {"timestamptz_dty", "timestampltz_dty", "timestampltz"}  # of Oracle's driver
)
WALL = frozenset(
    {"timestamp", "timestamp without time zone", "timestamp_ntz", "timestampdty"}
    | {"datetime", "datetime2", "datetime64", "smalldatetime"}
)
DATES = frozenset({"date", "date32"})


class TimeKind(Enum):
    """What a column says of a row's time."""

    WALL = "wall"  # what a clock shows, without a zone
    INSTANT = "instant"
    DATE = "date"
    TEXT = "text"  # SQLite's: whatever was written


@dataclass(frozen=True)
class Dialect:
    """One system's SQL.

    The bounds are templates: `{date}` and `{time}` are in the partitions' zone for a wall time, and
    in UTC for an instant; `{epoch}` is the instant in seconds.

    Attributes:
        quotes: What stands before and after a name.
        backslash: Whether a backslash is an escape in texts.
        text_prefix: What stands before a text that holds more than ASCII.
        wall: A bound of a column that holds wall times.
        instant: A bound of a column that holds instants; None when none is known to be right.
        date: A bound of a column that holds dates.
        instant_column: What of a column of instants is compared.
        instants: Types that hold instants, though their names do not say so.
        not_times: Types that hold no times, though their names say so.
        date_has_time: Whether the type DATE holds a time of day as well.
        untyped: Whether a column may hold values of any type.
    """

    quotes: str = '""'
    backslash: bool = False
    text_prefix: str = ""
    wall: str = "'{date} {time}'"
    instant: str | None = None
    date: str = "'{date}'"
    instant_column: str = "{column}"
    instants: frozenset[str] = frozenset()
    not_times: frozenset[str] = frozenset()
    date_has_time: bool = False
    untyped: bool = False

    def quote_name(self, name: str) -> str:
        """Return a column's name, as the source stores it, for SQL."""
        opening, closing = self.quotes[0], self.quotes[-1]
        return f"{opening}{name.replace(closing, closing * 2)}{closing}"

    def quote_text(self, text: str) -> str:
        """Return a text for SQL."""
        if self.backslash:
            escaped = text.replace("\\", "\\\\").replace("'", "\\'")
        else:
            escaped = text.replace("'", "''")
        return f"{'' if text.isascii() else self.text_prefix}'{escaped}'"

    def find_time_kind(self, native_type: str) -> TimeKind | None:
        """Return what a column of a type says of a row's time; None when it says nothing.

        Args:
            native_type: The source's own name of the type.
        """
        if self.untyped:
            return TimeKind.TEXT
        lower = native_type.strip().lower()
        while wrapped := WRAPPER.match(lower):
            lower = wrapped[1]
        name = " ".join(SIZE.sub("", lower).split())
        if name in self.not_times:
            return None
        if name in self.instants or name in ZONED or _names_zone(name):
            return TimeKind.INSTANT
        if name in WALL or (name in DATES and self.date_has_time):
            return TimeKind.WALL
        return TimeKind.DATE if name in DATES else None


def _names_zone(name: str) -> bool:
    return name.startswith("timestamp") and name.endswith(ZONE_WORDS)


_TYPED = Dialect(wall="timestamp '{date} {time}'", date="date '{date}'")
_POSTGRES = Dialect(instant="timestamptz '{date} {time}+00:00'")
# The session's zone reads a literal as a wall time, which autumn repeats: seconds are exact.
_MYSQL = Dialect(
    quotes="``",
    backslash=True,
    instant="{epoch}",
    instant_column="unix_timestamp({column})",
    instants=frozenset({"timestamp"}),
)
_DATABRICKS = Dialect(
    quotes="``",
    backslash=True,
    wall="timestamp_ntz '{date} {time}'",
    instant="timestamp '{date} {time}+00:00'",
    date="date '{date}'",
    instants=frozenset({"timestamp"}),
)
_DUCKDB = replace(_TYPED, instant="timestamptz '{date} {time}+00:00'")
_TRINO = replace(_TYPED, instant="timestamp '{date} {time} UTC'")
_SQLITE = Dialect(untyped=True)

DIALECTS: Mapping[str, Dialect] = {
    "athena": _TRINO,
    "bigquery": replace(_DATABRICKS, wall="datetime '{date} {time}'"),
    "clickhouse": Dialect(
        quotes="``",
        backslash=True,
        instant="toDateTime64('{date} {time}', 6, 'UTC')",
        instants=frozenset({"datetime", "datetime64"}),
    ),
    "d1": _SQLITE,
    "databricks": _DATABRICKS,
    "db2": _TYPED,
    "duckdb": _DUCKDB,
    "ducklake": _DUCKDB,
    "exasol": _TYPED,
    "iceberg": _DUCKDB,
    "mariadb": _MYSQL,
    "motherduck": _DUCKDB,
    "mysql": _MYSQL,
    "oracle": replace(_TYPED, instant="timestamp '{date} {time} +00:00'", date_has_time=True),
    "postgres": _POSTGRES,
    "proton": Dialect(
        quotes="``", backslash=True, instants=frozenset({"datetime", "datetime64"})
    ),
    "redshift": _POSTGRES,
    "snowflake": Dialect(
        backslash=True,
        wall="'{date} {time}'::timestamp_ntz",
        instant="'{date} {time}+00:00'::timestamp_tz",
        date="'{date}'::date",
    ),
    "sqlite": _SQLITE,
    "sqlserver": Dialect(
        quotes="[]",
        text_prefix="N",
        # With a T, for how a date with a space is read depends on the login's language.
        wall="cast('{date}T{time}' as datetime2)",
        instant="cast('{date}T{time}+00:00' as datetimeoffset)",
        date="cast('{date}' as date)",
        not_times=frozenset({"timestamp", "rowversion"}),
    ),
    "starrocks": Dialect(quotes="``", backslash=True),
    "trino": _TRINO,
}  # fmt: skip

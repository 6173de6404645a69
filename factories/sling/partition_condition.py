"""The partitions of a run, as a condition of the source's SQL on the column that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

from factories.core.execution.window import UnreadableWindowError, Window
from factories.core.yaml.problems import did_you_mean, nearest
from factories.sling.source_dialects import Dialect, TimeKind

CoveredPartitions = Window | tuple[str, ...]
MANY = 30  # columns that an error lists

# SQLite has no type for times. A text with an offset is an instant; any other is a wall time.
SQLITE_TIME = "strftime('%Y-%m-%d %H:%M:%f', {column})"
SQLITE_HAS_OFFSET = "({column} glob '*[Zz]' or {column} glob '*[-+][0-9][0-9]:[0-9][0-9]')"
SQLITE_IS_TIME = (
    "(typeof({column}) = 'text'"
    " and {column} glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'"
    " and " + SQLITE_TIME + " is not null)"
)


@dataclass(frozen=True)
class SourceColumn:
    """A column of a stream's table or query.

    Attributes:
        name: As the source stores it.
        native_type: The source's own name of its type.
    """

    name: str
    native_type: str


@dataclass(frozen=True)
class PartitionLimit:
    """What limits a stream to the partitions of a run.

    Attributes:
        column: The column that says which partition a row is in, as YAML has it.
        covered: A window of time, or keys of static partitions.
        hourly: Whether the partitions are hours.
    """

    column: str
    covered: CoveredPartitions
    hourly: bool = False

    def build_condition(self, columns: Sequence[SourceColumn], dialect: Dialect) -> str:
        """Return the condition of the source's SQL for the rows of the covered partitions.

        A window is half-open, start <= x < end: a row on a bound is in one partition. A column
        without zone is taken to hold wall time in the partitions' own zone; one with a zone is
        compared by the instant.

        Args:
            columns: All columns of the stream at the source.
            dialect: The source's SQL.

        Raises:
            UnreadableWindowError: When the column does not say which partition a row is in.
        """
        column = find_column(self.column, columns)
        name = dialect.quote_name(column.name)
        if not isinstance(self.covered, Window):
            keys = ", ".join(dialect.quote_text(key) for key in self.covered)
            return f"{name} in ({keys})"
        kind = dialect.find_time_kind(column.native_type)
        if kind is None:
            shown = column.native_type or "a type that it does not tell"
            message = f"the column {column.name!r} holds neither dates nor times, but {shown}"
            raise UnreadableWindowError(message)
        if kind is TimeKind.TEXT:
            return self._compare_texts(name)
        if kind is TimeKind.INSTANT:
            if dialect.instant is None:
                message = (
                    f"the column {column.name!r} holds {column.native_type}, an instant, which"
                    " partitions of this type of source cannot be compared with"
                )
                raise UnreadableWindowError(message)
            compared = dialect.instant_column.format(column=name)
            return self._compare(compared, dialect.instant, *_find_instants(self.covered))
        if kind is TimeKind.DATE:
            if self.cuts_days:
                message = (
                    f"the column {column.name!r} holds dates: they cannot place a row in an"
                    " hourly partition"
                )
                raise UnreadableWindowError(message)
            return self._compare(name, dialect.date, self.covered.start, self.covered.end)
        return self._compare(name, dialect.wall, *self.covered.times_of_day)

    @property
    def cuts_days(self) -> bool:
        """Whether a day has rows that are covered and others that are not."""
        return (
            self.hourly
            and isinstance(self.covered, Window)
            and any(
                moment.timetz().replace(tzinfo=None) != time()
                for moment in (self.covered.start, self.covered.end)
            )
        )

    def _compare(self, column: str, bound: str, start: datetime, end: datetime) -> str:
        first, last = (_format_bound(bound, moment) for moment in (start, end))
        return f"{column} >= {first} and {column} < {last}"

    def _compare_texts(self, column: str) -> str:
        if not isinstance(self.covered, Window):
            raise TypeError("keys are compared as they are")
        value, bound = SQLITE_TIME.format(column=column), "'{date} {time}.000'"
        instants = self._compare(value, bound, *_find_instants(self.covered))
        wall_times = self._compare(value, bound, *self.covered.times_of_day)
        has_offset = SQLITE_HAS_OFFSET.format(column=column)
        return f"(case when {has_offset} then {instants} else {wall_times} end)"

    def find_unplaceable(self, columns: Sequence[SourceColumn], dialect: Dialect) -> str | None:
        """Return the condition for values that no partition has room for; None without any.

        Only an untyped column may have such values: its rows would be loaded by no partition.
        """
        if not dialect.untyped or not isinstance(self.covered, Window):
            return None
        name = dialect.quote_name(find_column(self.column, columns).name)
        is_time = SQLITE_IS_TIME.format(column=name)
        placed = f"{is_time} and length({name}) > 10" if self.cuts_days else is_time
        return f"{name} is not null and not ({placed})"


def find_column(name: str, columns: Sequence[SourceColumn]) -> SourceColumn:
    """Return the source's column of a name in YAML, whose case and quotes need not be the source's.

    Raises:
        UnreadableWindowError: When there is no such column, or several.
    """
    plain = _strip_quotes(name)
    for wanted in (name, plain):
        if exact := next((column for column in columns if column.name == wanted), None):
            return exact
    alike = [column for column in columns if column.name.casefold() == plain.casefold()]
    if len(alike) == 1:
        return alike[0]
    if alike:
        choices = " or ".join(repr(column.name) for column in alike)
        message = f"the column {name!r} may be {choices}: write it as the source has it"
        raise UnreadableWindowError(message)
    names = [column.name for column in columns]
    hint = did_you_mean(nearest(plain, names))
    message = (
        f"there is no column {name!r}, which would say which partition a row is in{hint}"
        f" (the source has: {show_names(names)})"
    )
    raise UnreadableWindowError(message)


def show_names(names: Sequence[str]) -> str:
    """Return the names of columns for an error, the first of many."""
    return ", ".join(names[:MANY]) + (", …" if len(names) > MANY else "")


def _strip_quotes(name: str) -> str:
    """Return a name without the quotes of any SQL around it."""
    pairs = ('""', "``", "[]")
    stripped = name.strip()
    if len(stripped) > 2 and stripped[0] + stripped[-1] in pairs:  # noqa: PLR2004 - the quotes and what is in them
        return stripped[1:-1].replace(stripped[-1] * 2, stripped[-1])
    return stripped


def _find_instants(window: Window) -> tuple[datetime, datetime]:
    return window.start.astimezone(UTC), window.end.astimezone(UTC)


def _format_bound(bound: str, moment: datetime) -> str:
    epoch = int(moment.timestamp()) if moment.tzinfo else ""
    return bound.format(date=f"{moment:%Y-%m-%d}", time=f"{moment:%H:%M:%S}", epoch=epoch)

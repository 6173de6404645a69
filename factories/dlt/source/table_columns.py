"""A database's table against what YAML says of its columns: known when the table is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy
from dlt.common.schema import Schema
from dlt.sources.sql_database.schema_types import sqla_col_to_column_schema
from sqlalchemy.sql import sqltypes

from factories.core.yaml.problems import did_you_mean, nearest
from factories.dlt.config.schema import DltResource, Incremental
from factories.dlt.decimals import MOST_DIGITS, decimal_advice
from factories.dlt.errors import SourceError

CONNECTORX_SCALE = 10
NUMBERS = ("epoch", "epoch_ms")  # what `datetime_format` may be for columns of numbers


def check_names(
    settings: DltResource,
    table: sqlalchemy.Table,
    arguments: Mapping[str, Any],
    columns: Sequence[str],
) -> None:
    """Refuse the names of columns that the table does not have: dlt would pass over most of them.

    Args:
        settings: What YAML says of the resource.
        table: The table, with the columns that are read.
        arguments: Those of dlt's `sql_table()`.
        columns: All columns that it has.

    Raises:
        SourceError: When there is such a name.
    """
    for key in ("included_columns", "excluded_columns"):
        for name in arguments.get(key) or ():
            if name not in columns:
                raise SourceError(f"{key}: {_no_column(table, name, columns)}")
    read = list(table.c.keys())
    for key, name in _names(settings):
        if name not in read:
            raise SourceError(f"{key}: {_no_column(table, name, read)}")
    normalize = Schema("names").naming.normalize_path
    normalized = {normalize(name) for name in read}
    for key, keys in (("primary_key", settings.primary_key), ("merge_key", settings.merge_key)):
        for name in keys or ():
            if normalize(name) not in normalized:
                raise SourceError(f"{key}: {_no_column(table, name, read)}")


def _names(settings: DltResource) -> Iterator[tuple[str, str]]:
    if settings.incremental:
        yield "incremental.cursor_path", settings.incremental.cursor_path
    yield from (("columns", name) for name in settings.columns or {})


def _no_column(table: sqlalchemy.Table, name: str, known: Sequence[str]) -> str:
    hint = did_you_mean(nearest(name, known))
    return f"{table.name} has no column {name!r}, or does not read it, but {', '.join(known)}{hint}"


def check_types(settings: DltResource, table: sqlalchemy.Table, backend: str) -> None:
    """Refuse columns whose values no column of the warehouse holds, unless YAML says of what type.

    Args:
        settings: What YAML says of the resource.
        table: The table, with the columns that are read.
        backend: What of dlt's reads it.

    Raises:
        SourceError: When there is such a column; says what to write.
    """
    hints = settings.columns or {}
    for column in table.columns:
        hint = hints.get(column.name)
        if _is_interval(column):
            raise SourceError(
                f"the column {column.name!r} of {table.name} is {column.type}, which dlt cannot"
                f" load: write columns: {{{column.name}: {{data_type: text}}}}, or leave it out by"
                " excluded_columns"
            )
        if not isinstance(column.type, sqltypes.Numeric) or isinstance(column.type, sqltypes.Float):
            continue
        what = f"the column {column.name!r} of {table.name} is {column.type}"
        unhinted = hint is None or (hint.data_type is None and hint.precision is None)
        if unhinted and (column.type.precision or 0) > MOST_DIGITS:
            raise SourceError(
                f"{what}, and a number has at most {MOST_DIGITS} digits in Snowflake:"
                f" {decimal_advice(column.name)}"
            )
        # With a precision, but no scale, it holds whole numbers.
        scale = column.type.scale if column.type.precision else CONNECTORX_SCALE + 1
        if backend == "connectorx" and (scale or 0) > CONNECTORX_SCALE:
            raise SourceError(
                f"{what}: connectorx reads {CONNECTORX_SCALE} digits after the point and drops the"
                f" others: take another backend, or write columns: {{{column.name}: {{data_type:"
                " text}}"
            )


def _is_interval(column: sqlalchemy.Column[Any]) -> bool:
    try:
        return column.type.python_type is timedelta
    except NotImplementedError:  # a type that SQLAlchemy does not know
        return False


def time_of(column: sqlalchemy.Column[Any]) -> str | None:
    """Return how a column holds time, as `datetime_format` says it; None when it is not a time."""
    found = sqla_col_to_column_schema(column, "full") or {}
    if found.get("data_type") == "timestamp":
        return "timestamp" if found.get("timezone") else "timestamp_ntz"
    return "date" if found.get("data_type") == "date" else None


def check_format(settings: Incremental, column: sqlalchemy.Column[Any], field: str | None) -> None:
    """Refuse a `datetime_format` that the column's type contradicts.

    The database would compare bounds of another kind by rules of its own: times without an offset,
    for one, in the zone of its session.

    Args:
        settings: The cursor.
        column: Its column.
        field: How it holds time, None when it is not a time.

    Raises:
        SourceError: When it does, or when only YAML could say how the column holds time.
    """
    form, what = settings.datetime_format, f"the column {settings.cursor_path} is {column.type}"
    if field is not None:
        if form not in {None, field}:
            raise SourceError(
                f"{what}, which incremental.datetime_format {form!r} is not: write {field!r}, or"
                " leave it out"
            )
        return
    if form is None:
        raise SourceError(
            f"{what}: incremental.datetime_format must say how it holds time, such as epoch or"
            " '%Y-%m-%d'"
        )
    is_text = isinstance(column.type, sqltypes.String)
    is_number = isinstance(column.type, sqltypes.Integer | sqltypes.Numeric)
    if (is_text and "%" not in form) or (is_number and form not in NUMBERS):
        want = "a pattern such as '%Y-%m-%d'" if is_text else "epoch or epoch_ms"
        raise SourceError(
            f"{what}, which incremental.datetime_format {form!r} is not: write {want}"
        )

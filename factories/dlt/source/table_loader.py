"""How the rows of a database's table are read: dlt's loaders, and what they pass over in silence.

- Rows whose cursor is null reach dlt, which refuses them by name: in a query for what is new they
  would only be missing, whatever `on_cursor_value_missing` says.
- A column that is to be text is read as the database writes it, whatever it holds.
- A column that is to be whole numbers loses no digits after the point.
- A value that does not fit is refused by its table and column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import sqlalchemy
from dlt.common.libs.pyarrow import PyToArrowConversionException
from dlt.sources.sql_database.helpers import BaseTableLoader, ConnectorXTableLoader, TableLoader
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql import sqltypes

from factories.dlt.decimals import decimal_advice, fits
from factories.dlt.errors import LoadedDataError
from factories.dlt.source.cursor_values import CursorValues

# Of `Table.info`: the names of the columns that are read as text.
AS_TEXT = "read_as_text"
# Of `Table.info`: a cursor's column, and the values that a partition's bounds fit.
CURSOR = "cursor"
# Types that dlt writes as text itself: JSON, which a database's own text of an array is not.
ALREADY_TEXT = (sqltypes.String, sqltypes.JSON, sqltypes.ARRAY)
TIMES = (sqltypes.DateTime, sqltypes.Date, sqltypes.Time, sqltypes.Interval)
FIRST_VALUES = 1000
MOST_LOOKED_AT = 100_000  # rows, to tell which number is too large
QUOTED = re.compile(r"(?<!\w)'([^']+)'")  # not the one of "can't"


def read_as_text(table: sqlalchemy.Table, names: set[str]) -> None:
    """Let these columns of a table be read as text."""
    chosen = {
        column.name
        for column in table.columns
        if column.name in names and not isinstance(column.type, ALREADY_TEXT)
    }
    table.info[AS_TEXT] = chosen
    for name in chosen:
        table.c[name].type = sqlalchemy.Text()


def compare_first(table: sqlalchemy.Table, name: str, expected: CursorValues) -> None:
    """Let the first values of a table's cursor be looked at, before its rows are selected by it.

    Those that the database compares with bounds of another kind would only be missing.
    """
    table.info[CURSOR] = name, expected


class _WholeTable(BaseTableLoader):
    """What both of dlt's loaders lack."""

    def _read(self, backend_kwargs: dict[str, Any]) -> Iterator[Any]:
        """Yield the rows as dlt's own loader does."""
        raise NotImplementedError

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._whole = self._read_as_decimals() if self.backend == "pyarrow" else []
        if self.cursor_column is not None and self.cursor_column.nullable:
            with_null = self.on_cursor_value_missing in {"raise", "include"}
            self.on_cursor_value_missing = "include" if with_null else "exclude"

    def make_query(self) -> Any:
        """Return dlt's query, with casts."""
        query: Any = super().make_query()
        as_text = self.table.info.get(AS_TEXT)
        if not as_text:
            return query
        return query.with_only_columns(
            *(
                sqlalchemy.cast(column, sqlalchemy.Text).label(column.name)
                if column.name in as_text
                else column
                for column in self.table.columns
            )
        )

    def load_rows(self, backend_kwargs: dict[str, Any] | None = None) -> Iterator[Any]:
        """Yield the rows.

        Raises:
            LoadedDataError: When a value does not fit; names its table and column.
        """
        self._check_cursor()
        try:
            for item in self._read(backend_kwargs or {}):
                yield self._with_whole_numbers(item)
        except PyToArrowConversionException as error:
            raise LoadedDataError(self._unfit(error)) from error
        except Exception as error:
            if not _is_of_values(error):
                raise
            raise LoadedDataError(self._unreadable(error)) from error

    def _check_cursor(self) -> None:
        if CURSOR not in self.table.info:
            return
        name, expected = self.table.info[CURSOR]
        column = self.table.c[name]
        query = sqlalchemy.select(column).where(column.is_not(None)).limit(FIRST_VALUES)
        with self.engine.connect() as connection:
            expected.check_all((value for (value,) in connection.execute(query)), strict=True)

    def _read_as_decimals(self) -> list[str]:
        """Let decimals that are to be whole numbers be read as what they are; return their names.

        Arrow would cut off what stands after the point.
        """
        names = [
            column.name
            for column in self.table.columns
            if isinstance(column.type, sqltypes.Numeric)
            and self.columns.get(column.name, {}).get("data_type") == "bigint"
        ]
        decimals: Any = {name: {"name": name, "data_type": "decimal"} for name in names}
        self.columns = {**self.columns, **decimals}  # a copy: the first are the resource's own
        return names

    def _with_whole_numbers(self, table: Any) -> Any:
        for name in self._whole:
            index = table.schema.get_field_index(name)
            try:
                numbers = table.column(index).cast(pa.int64())
            except pa.ArrowInvalid as error:
                raise LoadedDataError(
                    f"the column {name!r} of {self.table.name} holds a value that is no whole"
                    f" number of 64 bits ({error}): {decimal_advice(name)}"
                ) from None
            table = table.set_column(index, name, numbers)
        return table

    def _unfit(self, error: PyToArrowConversionException) -> str:
        column, kind = error.field_name, error.inferred_arrow_type
        why = str(error.__cause__ or error.details).strip().rstrip(".")
        value, what = None, "a value"
        advice = f"write columns: {{{column}: {{data_type: text}}}}"
        if error.data_type == "decimal" and kind is not None:
            value = self._find_unfit(column, kind.precision, kind.scale)
            advice = decimal_advice(column, value)
        if value is not None:
            what, why = str(value), "a decimal of so many digits, and of those after the point"
        return (
            f"the column {column!r} of {self.table.name} holds {what}, which does not fit {kind}"
            f" ({why}): {advice}"
        )

    def _find_unfit(self, column: str, precision: int, scale: int) -> Decimal | None:
        """Return the first number of a column that is too large; None when it is far behind."""
        query = sqlalchemy.select(sqlalchemy.cast(self.table.c[column], sqlalchemy.Text))
        with suppress(SQLAlchemyError, ArithmeticError), self.engine.connect() as connection:
            for (text,) in connection.execute(query.limit(MOST_LOOKED_AT)):
                if text is not None and not fits(Decimal(text), precision, scale):
                    return Decimal(text)
        return None

    def _unreadable(self, error: Exception) -> str:
        """Return which column holds a time that Python has none for, such as `infinity`."""
        text = str(getattr(error, "orig", None) or error).strip()
        times = [column for column in self.table.columns if isinstance(column.type, TIMES)]
        written = QUOTED.search(text)
        found = [c.name for c in times if written and self._holds(c, written[1])]
        names = found or [column.name for column in times]
        which = " or ".join(map(repr, names)) or "some column"
        example = names[0] if names else "…"
        return (
            f"the column {which} of {self.table.name} holds a value that cannot be read ({text}):"
            f" write columns: {{{example}: {{data_type: text}}}}, or leave it out by"
            " excluded_columns"
        )

    def _holds(self, column: Any, written: str) -> bool:
        as_text = sqlalchemy.cast(column, sqlalchemy.Text)
        query = sqlalchemy.select(sqlalchemy.literal(1)).where(as_text == written).limit(1)
        try:
            with self.engine.connect() as connection:
                return connection.execute(query).first() is not None
        except SQLAlchemyError:
            return False  # then every column of time is named


def _is_of_values(error: Exception) -> bool:
    """Tell whether a driver could not make Python's value of the database's."""
    cause = getattr(error, "orig", None) or error
    return type(cause).__name__ == "DataError" or isinstance(cause, ValueError | OverflowError)


class WholeTableLoader(_WholeTable, TableLoader):
    """Reads by SQLAlchemy."""

    def _read(self, backend_kwargs: dict[str, Any]) -> Iterator[Any]:
        return TableLoader.load_rows(self, backend_kwargs)


class WholeConnectorXLoader(_WholeTable, ConnectorXTableLoader):
    """Reads by ConnectorX."""

    def _read(self, backend_kwargs: dict[str, Any]) -> Iterator[Any]:
        return ConnectorXTableLoader.load_rows(self, backend_kwargs)


def loader_of(backend: str) -> type[BaseTableLoader]:
    """Return what reads tables with one of dlt's backends."""
    return WholeConnectorXLoader if backend == "connectorx" else WholeTableLoader

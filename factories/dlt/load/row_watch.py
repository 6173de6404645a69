"""Looks at the rows of a resource while they are read, for what dlt would drop without a word.

It costs a pass over the values of each row; names are worked out once for each set of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import Any, ClassVar, TypeAlias

from dlt.common.libs import is_arrow_object, is_pandas_frame
from dlt.extract import DltResource
from dlt.extract.extractors import ImportFileMeta
from dlt.extract.items_transform import MetricsItem

# The names of a row: of a field that holds a row or a list, with those in it.
Shape: TypeAlias = tuple["str | tuple[str, Shape | frozenset[Shape]]", ...]
# So many sets of names are remembered; one that is seen again later is worked out again.
MOST_SHAPES = 10_000
PLAIN = frozenset({str, type(None), bool, datetime, date, time, bytes})
SIMPLE = PLAIN | {int, float, Decimal}
NOTHING: frozenset[Shape] = frozenset()
SMALLEST, LARGEST = -(2**63), 2**63 - 1


class LastStep(MetricsItem):
    """A step behind an incremental cursor, which dlt puts at the end: it sees what is loaded."""

    placement_affinity: ClassVar[float] = 2


class _NotFiniteError(Exception):
    """A nested value is NaN or infinite."""


class RowWatch(ABC):
    """Looks at what a resource gives."""

    def __init__(self) -> None:
        """Begin with no names known."""
        self._seen: set[Shape] = set()

    @abstractmethod
    def note_row(self, shape: Shape) -> None:
        """Take the names of a row, once for each set of names."""

    @abstractmethod
    def check_columns(self, names: Sequence[str]) -> None:
        """Take the columns of an Arrow table or a data frame, once for each set of them."""

    @abstractmethod
    def check_number(self, name: str, value: int | Decimal) -> None:
        """Take a decimal number, or a whole number of more than 64 bits, and its field."""

    @abstractmethod
    def check_float(self, path: Sequence[str], value: float) -> None:
        """Take a number that is NaN or infinite, its field, and those that this one is in."""

    def look_at(self, resource: DltResource) -> None:
        """Look at all that a resource will give, behind its cursor."""

        def look(items: Any, meta: Any, _metrics: dict[str, Any]) -> None:
            if isinstance(meta, ImportFileMeta):  # a whole file, which is not read
                return
            for item in items if isinstance(items, list) else (items,):
                if type(item) is dict or isinstance(item, Mapping):
                    self._look_at_row(item)
                elif is_arrow_object(item) or is_pandas_frame(item):
                    columns = tuple(map(str, _column_names(item)))
                    if self._is_new(columns):
                        self.check_columns(columns)

        resource.add_step(LastStep(look))

    def _look_at_row(self, row: Mapping[str, Any]) -> None:
        nested = False
        for name, value in row.items():
            kind = type(value)
            if kind in PLAIN or (kind is int and SMALLEST <= value <= LARGEST):
                continue
            if kind is float:
                if not isfinite(value):
                    self.check_float([name], value)
            elif kind is Decimal or kind is int:
                self.check_number(name, value)
            else:
                nested = True
        shape = self._shape_of_nested(row) if nested else tuple(row)
        if self._is_new(shape):
            self.note_row(shape)

    def _shape_of_nested(self, row: Mapping[str, Any]) -> Shape:
        try:
            return _shape(row, finite=True)
        except _NotFiniteError:
            nested = {name: value for name, value in row.items() if type(value) is not float}
            for path, value in _find_not_finite(nested):
                self.check_float(path, value)
        return _shape(row, finite=False)

    def _is_new(self, shape: Shape) -> bool:
        if shape in self._seen:
            return False
        if len(self._seen) >= MOST_SHAPES:
            self._seen.clear()
        self._seen.add(shape)
        return True


def _shape(row: Mapping[str, Any], *, finite: bool) -> Shape:
    """Return the names of a row and of the rows in it.

    Raises:
        _NotFiniteError: When a number in it is not finite, though all should be.
    """
    if _all_simple(row.values(), finite=finite):
        return tuple(row)
    fields: list[str | tuple[str, Shape | frozenset[Shape]]] = []
    for name, value in row.items():
        kind = type(value)
        if kind in SIMPLE:
            fields.append(name)
        elif kind is dict or isinstance(value, Mapping):
            fields.append((name, _shape(value, finite=finite)))
        elif kind is list or isinstance(value, list | tuple):
            fields.append((name, _shapes(value, finite=finite)))
        else:
            fields.append(name)
    return tuple(fields)


def _shapes(values: list[Any] | tuple[Any, ...], *, finite: bool) -> frozenset[Shape]:
    """Return the names of the rows in a list; dlt makes one of a list in it."""
    if _all_simple(values, finite=finite):
        return NOTHING
    found = set()
    for value in values:
        if type(value) is dict or isinstance(value, Mapping):
            found.add(_shape(value, finite=finite))
        elif isinstance(value, list | tuple):
            found.add(_shape({"list": value}, finite=finite))
    return frozenset(found)


def _all_simple(values: Collection[Any], *, finite: bool) -> bool:
    kinds = set(map(type, values))
    if finite and float in kinds:
        for value in values:
            if type(value) is float and not isfinite(value):
                raise _NotFiniteError
    return kinds <= SIMPLE


def _find_not_finite(
    value: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], float]]:
    """Yield each number that is not finite, with the names of the fields that it is in."""
    if type(value) is float and not isfinite(value):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _find_not_finite(inner, (*path, str(name)))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _find_not_finite(inner, path)


def _column_names(table: Any) -> list[Any]:
    return list(table.columns) if is_pandas_frame(table) else list(table.schema.names)

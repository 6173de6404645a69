"""Looks at the rows of a resource while they are read, for what dlt would drop without a word.

It costs a pass over the values of each row; names are worked out once for each set of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar, TypeAlias

from dlt.common.libs import is_arrow_object, is_pandas_frame
from dlt.extract import DltResource
from dlt.extract.extractors import ImportFileMeta
from dlt.extract.items_transform import MetricsItem

# The names of a row: of a field that holds a row or a list, with those in it.
Shape: TypeAlias = tuple["str | tuple[str, Shape | frozenset[Shape]]", ...]
# So many sets of names are remembered; one that is seen again later is worked out again.
MOST_SHAPES = 10_000
PLAIN = frozenset({str, type(None), bool, float, datetime, date, time, bytes})
SIMPLE = PLAIN | {int, Decimal}
NOTHING: frozenset[Shape] = frozenset()
SMALLEST, LARGEST = -(2**63), 2**63 - 1


class LastStep(MetricsItem):
    """A step behind an incremental cursor, which dlt puts at the end: it sees what is loaded."""

    placement_affinity: ClassVar[float] = 2


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
            if kind is Decimal or kind is int:
                self.check_number(name, value)
            else:
                nested = True
        shape = _shape(row) if nested else tuple(row)
        if self._is_new(shape):
            self.note_row(shape)

    def _is_new(self, shape: Shape) -> bool:
        if shape in self._seen:
            return False
        if len(self._seen) >= MOST_SHAPES:
            self._seen.clear()
        self._seen.add(shape)
        return True


def _shape(row: Mapping[str, Any]) -> Shape:
    if SIMPLE.issuperset(map(type, row.values())):
        return tuple(row)
    fields: list[str | tuple[str, Shape | frozenset[Shape]]] = []
    for name, value in row.items():
        kind = type(value)
        if kind in SIMPLE:
            fields.append(name)
        elif kind is dict or isinstance(value, Mapping):
            fields.append((name, _shape(value)))
        elif kind is list or isinstance(value, list | tuple):
            fields.append((name, _shapes(value)))
        else:
            fields.append(name)
    return tuple(fields)


def _shapes(values: list[Any] | tuple[Any, ...]) -> frozenset[Shape]:
    """Return the names of the rows in a list; dlt makes one of a list in it."""
    if SIMPLE.issuperset(map(type, values)):
        return NOTHING
    found = set()
    for value in values:
        if type(value) is dict or isinstance(value, Mapping):
            found.add(_shape(value))
        elif isinstance(value, list | tuple):
            found.add(_shape({"list": value}))
    return frozenset(found)


def _column_names(table: Any) -> list[Any]:
    return list(table.columns) if is_pandas_frame(table) else list(table.schema.names)

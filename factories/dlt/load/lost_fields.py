"""Fields of one row whose names become one column: dlt loads the last of them, and says nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isnan

from dlt.common import logger
from dlt.common.schema import Schema
from dlt.extract import DltResource, DltSource

from factories.dlt.dlt_internals import RowNaming
from factories.dlt.errors import LoadedDataError
from factories.dlt.load.number_limits import NumberLimits
from factories.dlt.load.row_watch import RowWatch, Shape

MOST_CLASHES = 1000


@dataclass(frozen=True, order=True)
class LostField:
    """A field whose values are not loaded where another of its row has the same column.

    Attributes:
        table: The table.
        column: The column, or the child table of two lists.
        kept: The field whose value is loaded, as the source calls it; empty for dlt's own.
        lost: The other.
    """

    table: str
    column: str
    kept: str
    lost: str

    def __str__(self) -> str:
        if not self.kept:
            return (
                f"the field {self.lost!r} of {self.table} is lost: dlt has a column of this name,"
                " so rename the field in the source"
            )
        return (
            f"the fields {self.lost!r} and {self.kept!r} of {self.table} both become"
            f" {self.column}: the value of {self.kept!r} is kept, that of {self.lost!r} is lost"
            " in rows that have both: rename one of them in the source"
        )


class FieldWatch(RowWatch):
    """Watches the names of the fields that one resource gives, and its numbers."""

    def __init__(self, resource: DltResource, schema: Schema, *, nan_is_null: bool = False) -> None:
        """Take the resource, the schema of its source, and whether NaN is meant to be NULL."""
        super().__init__()
        self.resource = resource
        self._naming = RowNaming(schema)
        self._path = schema.naming.normalize_path
        self._limits = NumberLimits(resource, schema)
        self._nan_is_null = nan_is_null
        self._clashing: set[Shape] = set()

    def note_row(self, shape: Shape) -> None:
        """Note the names of a row, if some may become one."""
        if len(self._clashing) < MOST_CLASHES and _may_clash(self._naming, shape):
            self._clashing.add(shape)

    def check_columns(self, names: Sequence[str]) -> None:
        """Refuse columns that become one: dlt would refuse some too, and name all that there are.

        Raises:
            LoadedDataError: When there are such columns.
        """
        columns: dict[str, str] = {}
        for name in names:
            column = self._path(name)
            if (other := columns.setdefault(column, name)) != name or names.count(name) > 1:
                both = f"{other!r} and {name!r} both become {column}"
                raise LoadedDataError(
                    f"columns of {self.resource.table_name}:"
                    f" {both if other != name else f'{name!r} is there twice'}: rename one of them"
                    " in the source, or leave it out (a database's by excluded_columns)"
                )

    def check_number(self, name: str, value: int | Decimal) -> None:
        """Refuse a number that its column cannot hold.

        Raises:
            LoadedDataError: When it cannot.
        """
        self._limits.check(name, value)

    def check_float(self, path: Sequence[str], value: float) -> None:
        """Count a field that is NaN, refuse one that is infinite.

        Raises:
            LoadedDataError: When it is infinite.
        """
        if not (self._nan_is_null and isnan(value)):
            self._limits.check_float(path, value)

    def missing(self) -> list[str]:
        """Return a sentence for each field that was NaN."""
        return [
            f"the field {name!r} of {self.resource.table_name} was NaN {count} times, which dlt"
            " loads as NULL: give None in the source, or write data_type: text for the column"
            for name, count in self._limits.missing.items()
        ]

    def lost(self, schema: Schema) -> list[LostField]:
        """Return what is lost, by the schema as it is after the rows were normalized."""
        table = schema.naming.normalize_tables_path(str(self.resource.table_name))
        naming = RowNaming(schema)
        levels = naming.levels(table)
        return sorted({each for s in self._clashing for each in _lost(naming, (table,), s, levels)})


def watch_fields(source: DltSource, nan_is_null: Collection[str] = ()) -> list[FieldWatch]:
    """Look at the rows of a source's selected resources while they are read.

    Args:
        source: The source.
        nan_is_null: The resources whose reader has NaN for what is not there.
    """
    watched = []
    for resource in source.selected_resources.values():
        watch = FieldWatch(resource, source.schema, nan_is_null=resource.name in nan_is_null)
        watch.look_at(resource)
        watched.append(watch)
    return watched


def report_lost_fields(watched: Iterable[FieldWatch], schema: Schema) -> None:
    """Warn of the fields that are lost, and of values that are.

    Args:
        watched: What was given.
        schema: The schema, after the rows were normalized.

    Raises:
        LoadedDataError: When the contract of a table freezes its columns, or their types.
    """
    for watch in watched:
        table = schema.naming.normalize_tables_path(str(watch.resource.table_name))
        for missing in watch.missing():
            if schema.resolve_contract_settings_for_table(table)["data_type"] == "freeze":
                raise LoadedDataError(f"the schema contract refuses it: {missing}")
            logger.warning("%s: %s", watch.resource.name, missing)
        for lost in watch.lost(schema):
            contract = schema.resolve_contract_settings_for_table(lost.table)
            if contract["columns"] == "freeze":
                raise LoadedDataError(f"the schema contract refuses it: {lost}")
            logger.warning("%s: %s", watch.resource.name, lost)


def _may_clash(naming: RowNaming, shape: Shape) -> bool:
    """Tell whether two fields may become one, whatever of the row becomes JSON or child tables."""
    seen = {naming.load_id}
    rows: list[tuple[Shape, tuple[str, ...]]] = [(shape, ())]
    while rows:
        row, path = rows.pop()
        for name, inner in _fields(row):
            at = (*path, naming.column(name))
            if isinstance(inner, frozenset) and any(_may_clash(naming, each) for each in inner):
                return True
            if isinstance(inner, tuple):
                rows.append((inner, at))
            column = naming.path(*at)
            if column in seen:
                return True
            seen.add(column)
    return False


def _lost(
    naming: RowNaming, tables: tuple[str, ...], shape: Shape, levels: int
) -> Iterator[LostField]:
    """Follow dlt's way through a row: of fields with one column it takes the last that it meets.

    Args:
        naming: How fields become columns.
        tables: The table of the row, after those above it.
        shape: The names of its fields.
        levels: How deep they may be nested.
    """
    table = naming.path(*tables)
    columns: dict[str, str] = {}
    lists: dict[tuple[str, ...], tuple[str, frozenset[Shape]]] = {}
    rows: list[tuple[Shape, int, tuple[str, ...], str]] = [(shape, levels, (), "")]
    while rows:
        row, left, path, before = rows.pop()
        for name, inner in _fields(row):
            at = (*path, naming.column(name))
            column, written = naming.path(*at), f"{before}{name}"
            as_json = inner is not None and naming.is_json(table, column, left)
            if isinstance(inner, tuple) and not as_json:
                rows.append((inner, left - 1, at, f"{written}."))
            elif isinstance(inner, frozenset) and not as_json:
                below = (*path, naming.table(name))
                if below in lists:
                    child = f"the table {naming.path(*tables, *below)}"
                    yield LostField(table, child, written, lists[below][0])
                lists[below] = written, inner
            else:
                if column in columns:
                    yield LostField(table, f"the column {column}", written, columns[column])
                if column == naming.load_id and len(tables) == 1:
                    yield LostField(table, f"the column {column}", "", written)
                columns[column] = written
    for below, (_, elements) in lists.items():
        for element in elements:
            yield from _lost(naming, (*tables, *below), element, levels - 1)


def _fields(shape: Shape) -> Iterator[tuple[str, Shape | frozenset[Shape] | None]]:
    for entry in shape:
        yield (entry, None) if isinstance(entry, str) else entry

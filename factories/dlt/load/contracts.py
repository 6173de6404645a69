"""What schema contracts refuse: dlt drops it silently, a run shall show it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial, wraps
from pathlib import Path
from typing import Any, ClassVar

from dlt.common.configuration.container import Container
from dlt.common.configuration.specs import configspec
from dlt.common.configuration.specs.base_configuration import ContainerInjectableContext
from dlt.common.data_writers.writers import count_rows_in_items
from dlt.common.libs.pyarrow import get_normalized_arrow_fields_mapping
from dlt.common.pipeline import ExtractInfo
from dlt.common.schema import Schema
from dlt.extract import DltResource, DltSource
from dlt.extract.extractors import ArrowExtractor, ImportFileMeta
from dlt.extract.items_transform import MetricsItem
from dlt.normalize.items_normalizers import JsonLItemsNormalizer

ROWS_READ = "rows_read"


@dataclass(frozen=True, order=True)
class Refusal:
    """Something new that a contract keeps out of a table.

    Attributes:
        table: The table.
        entity: `tables` or `columns`; a column may be one for values of another type.
        name: The table or column that was not made.
        mode: `discard_row` or `discard_value`.
    """

    table: str
    entity: str
    name: str
    mode: str


@dataclass
class Refusals:
    """What was refused in one load.

    Attributes:
        found: Each once, however many rows had it.
        rows: Rows that were read and not loaded, by table. Child rows of such a row are not
            counted.
        parents: Of a refused table the one above it, of one without its resource.
    """

    found: set[Refusal] = field(default_factory=set)
    rows: Counter[str] = field(default_factory=Counter)
    parents: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Tell whether anything was refused."""
        return bool(self.found or self.rows)

    def __str__(self) -> str:
        """Say it in one line of a log."""
        things = [
            f"table {r.name} ({r.mode})"
            if r.entity == "tables"
            else f"{r.table}.{r.name} ({r.mode})"
            for r in sorted(self.found)
        ]
        things += [f"rows of {table}: {count:,}" for table, count in sorted(self.rows.items())]
        return ", ".join(things)

    def of(self, names: Collection[str]) -> Refusals:
        """Return what concerns these tables, and those that would have been below them.

        Args:
            names: Of tables, and of their resource.
        """
        return Refusals(
            {found for found in self.found if self._concerns(found.table, names)},
            Counter({t: count for t, count in self.rows.items() if self._concerns(t, names)}),
        )

    def _concerns(self, table: str, names: Collection[str]) -> bool:
        return table in names or self.parents.get(table) in names


@contextmanager
def refusals_recorded(source: DltSource, folder: Path) -> Iterator[Refusals]:
    """Record what contracts refuse while extract and normalize run.

    Args:
        source: What is extracted; `count_dropped` needs its rows to be counted.
        folder: For the notes of the processes that take part.

    Yields:
        What was refused; complete after the context.
    """
    refusals = Refusals()
    for resource in source.selected_resources.values():
        _count_rows(resource)
    notes = folder / "refused.jsonl"
    with Container().injectable_context(_Recorder(str(notes))):
        yield refusals
    if notes.exists():
        for line in notes.read_text().splitlines():
            _read_note(refusals, json.loads(line))


def count_dropped(refusals: Refusals, extracted: ExtractInfo, source: DltSource) -> None:
    """Add the rows that were dropped before normalize: those of Arrow tables and of new tables."""
    for metrics in extracted.metrics.values():
        for name, written in metrics[0]["resource_metrics"].items():
            read = written.custom_metrics.get(ROWS_READ, 0)
            resource = source.selected_resources.get(name)
            if resource is None or read <= written.items_count:
                continue
            table = str(resource.table_name)
            if refusals.of({name, table}).found:  # else something other than a contract did it
                refusals.rows[table] += read - written.items_count


def _count_rows(resource: DltResource) -> None:
    def count(items: Any, meta: Any, metrics: dict[str, Any]) -> None:
        if not isinstance(meta, ImportFileMeta):  # a whole file, of which no row is looked at
            metrics[ROWS_READ] = metrics.get(ROWS_READ, 0) + count_rows_in_items(items)

    resource.add_step(_LastStep(count))


class _LastStep(MetricsItem):
    # Behind an incremental cursor, which dlt puts at the end: what it leaves out is not refused.
    placement_affinity: ClassVar[float] = 2


def _read_note(refusals: Refusals, note: dict[str, Any]) -> None:
    if "rows" in note:
        refusals.rows.update(note["rows"])
        return
    refusals.found.add(Refusal(*note["refused"]))
    if note["parent"]:
        refusals.parents[note["refused"][0]] = note["parent"]


@configspec
class _Recorder(ContainerInjectableContext):
    """Notes in a file what contracts refuse: in this process, and in those that normalize for it.

    dlt tells what it refuses nowhere but in the result of `Schema.apply_schema_contract`, and which
    rows it drops only to the generator that makes them. Each note is one short write, so that
    several processes may share the file.
    """

    worker_affinity: ClassVar[bool] = True  # dlt hands it to the processes that it starts
    can_create_default: ClassVar[bool] = False

    path: str = ""

    def after_add(self) -> None:
        note = partial(_note, Path(self.path))
        Schema.apply_schema_contract = _noting_refused(Schema.apply_schema_contract, note)  # type: ignore[method-assign]
        JsonLItemsNormalizer.__call__ = _noting_dropped(JsonLItemsNormalizer.__call__, note)  # type: ignore[method-assign]
        ArrowExtractor._apply_contract_filters = _of_its_columns(  # type: ignore[method-assign]  # noqa: SLF001 - see there
            ArrowExtractor._apply_contract_filters  # noqa: SLF001 - as above
        )

    def before_remove(self) -> None:
        for owner, name in (
            (Schema, "apply_schema_contract"),
            (JsonLItemsNormalizer, "__call__"),
            (ArrowExtractor, "_apply_contract_filters"),
        ):
            setattr(owner, name, getattr(owner, name).__wrapped__)


_Note = Callable[[dict[str, Any]], None]


def _note(path: Path, note: dict[str, Any]) -> None:
    with path.open("ab", buffering=0) as file:
        file.write(json.dumps(note).encode() + b"\n")


def _noting_refused(apply: Callable[..., Any], note: _Note) -> Callable[..., Any]:
    noted = set()

    @wraps(apply)
    def noting(self: Schema, contract: Any, partial_table: Any, *args: Any, **kwargs: Any) -> Any:
        table = partial_table["name"]
        above = partial_table.get("parent") or partial_table.get("resource")
        allowed, filters = apply(self, contract, partial_table, *args, **kwargs)
        for found in filters:
            refused = (table, *found)
            if refused not in noted:
                noted.add(refused)
                note({"refused": refused, "parent": above})
        return allowed, filters

    return noting


def _noting_dropped(normalize: Callable[..., Any], note: _Note) -> Callable[..., Any]:
    @wraps(normalize)
    def noting(self: JsonLItemsNormalizer, file: str, root_table: str) -> Any:
        schema: Any = self.schema
        if not _has_contract(schema):
            return normalize(self, file, root_table)
        dropped: Counter[str] = Counter()
        schema.normalize_data_item = partial(_counting, schema.normalize_data_item, dropped)
        try:
            return normalize(self, file, root_table)
        finally:
            del schema.normalize_data_item  # the class's own shows again
            if dropped:
                note({"rows": dropped})

    return noting


def _has_contract(schema: Schema) -> bool:
    contracts = [schema.settings, *schema.tables.values()]
    return any(each.get("schema_contract") not in (None, "evolve") for each in contracts)


def _counting(rows_of: Callable[..., Any], dropped: Counter[str], *item: Any) -> Iterator[Any]:
    """Yield the rows of an item; the answer False says that the last one is dropped."""
    rows = rows_of(*item)
    descend = None
    while True:
        try:
            row = rows.send(descend)
        except StopIteration:
            return
        descend = yield row
        if descend is False:
            dropped[row[0][0]] += 1


def _of_its_columns(apply: Callable[..., Any]) -> Callable[..., Any]:
    """Let a refused column be missing in an Arrow table: dlt 1.31 then fails with a KeyError."""

    @wraps(apply)
    def filtered(self: Any, item: Any, *args: Any) -> Any:
        names = set(get_normalized_arrow_fields_mapping(item.schema, self.naming).values())
        refused = self._filtered_columns
        self._filtered_columns = {
            table: {name: mode for name, mode in columns.items() if name in names}
            for table, columns in refused.items()
        }
        try:
            return apply(self, item, *args)
        finally:
            self._filtered_columns = refused

    return filtered

"""What schema contracts refuse: dlt drops it silently, a run has to show it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlt.common.configuration.container import Container
from dlt.common.data_writers.writers import count_rows_in_items
from dlt.common.pipeline import ExtractInfo
from dlt.extract import DltResource, DltSource
from dlt.extract.extractors import ImportFileMeta

from factories.dlt.dlt_internals import RefusalRecorder
from factories.dlt.load.row_watch import LastStep

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
        """Return it as one line of a log."""
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
    with Container().injectable_context(RefusalRecorder(str(notes))):
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
        if not isinstance(meta, ImportFileMeta):  # a whole file, whose rows are not looked at
            metrics[ROWS_READ] = metrics.get(ROWS_READ, 0) + count_rows_in_items(items)

    resource.add_step(LastStep(count))  # what a cursor leaves out is not refused


def _read_note(refusals: Refusals, note: dict[str, Any]) -> None:
    if "rows" in note:
        refusals.rows.update(note["rows"])
        return
    refusals.found.add(Refusal(*note["refused"]))
    if note["parent"]:
        refusals.parents[note["refused"][0]] = note["parent"]

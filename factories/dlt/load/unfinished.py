"""Loads that were cut short: noted in the warehouse before they begin, undone by the next.

A step that is killed in the middle of a load leaves rows of an `append` behind, and dlt reads the
same rows again, because the cursor is stored only with a complete load. So each such load is noted
in `_DP_UNFINISHED_LOADS` in the pipeline's schema before its first row is loaded, and the note is
removed when it is complete. Whoever finds a note knows that nobody else is loading (the pipeline's
pool takes one step at a time) and which rows to delete, by `_dlt_load_id`.

`_dlt_loads`, where dlt enters complete loads, does not say it: a row whose load is not in it may
have come with a copy of a table, or be of a load that somebody runs by hand right now. It would
also take a scan of the table at each load.

A full refresh replaces the table before the cursor that starts over is stored: one that was cut
short is done again, or the next run would go on from the old cursor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import dlt
from dagster import DagsterLogManager

from factories.core.execution.table_reader import QueryFailedError, TableReader
from factories.core.warehouse.names import Relation, WarehouseNames
from factories.core.warehouse.settings import WarehouseSettings

NOTES = "_DP_UNFINISHED_LOADS"
_COLUMNS = (
    "load_id varchar, pipeline varchar, resource varchar, table_name varchar,"
    " parent_name varchar, position integer, full_refresh boolean, started_at timestamp_tz"
)
_KEYS = ("_DLT_ID", "_DLT_LOAD_ID", "_DLT_PARENT_ID")


@dataclass(frozen=True)
class Note:
    """A table that a load writes to.

    Attributes:
        load_id: dlt's id of the package.
        resource: The resource that the table belongs to.
        table: As dlt calls it.
        parent: The table whose child it is, None for one whose rows have the load's id.
        full_refresh: Whether the load replaces it and starts the cursor over.
    """

    load_id: str
    resource: str
    table: str
    parent: str | None
    full_refresh: bool


class UnfinishedLoads:
    """The notes of one pipeline. No other step changes them while this one runs."""

    def __init__(
        self,
        settings: WarehouseSettings,
        names: WarehouseNames,
        *,
        database: str,
        schema: str,
        pipeline: str,
        log: DagsterLogManager,
    ) -> None:
        """Take what is needed to read and write; nothing is asked yet.

        Args:
            settings: How to reach the warehouse. Each use is a session of its own: what lies
                between two of them may take longer than a session lasts.
            names: How the target's databases are called.
            database: Holds the schema.
            schema: Holds the pipeline's tables.
            pipeline: The pipeline's name to dlt.
            log: Receives what is removed.
        """
        self._settings = settings
        self._names = names
        self._database = database
        self._schema = schema
        self._pipeline = pipeline
        self._log = log
        self._has_table = False
        self._known: list[Note] | None = None  # what is noted, None where it must be read

    def refreshes(self, resources: Sequence[str]) -> set[str]:
        """Return those of the resources whose full refresh was cut short.

        Raises:
            QueryFailedError: When the warehouse cannot be asked.
        """
        with self._session() as reader:
            noted = [
                note
                for note in self._notes(reader)
                if note.full_refresh and note.resource in set(resources)
            ]
            complete = self._complete(reader, noted)
        return {note.resource for note in noted if note.load_id not in complete}

    def begin(self, pipeline: dlt.Pipeline, resources: Iterable[str], new: Sequence[Note]) -> None:
        """Undo what was cut short of these resources, and note what begins.

        Args:
            pipeline: Makes the schema when there is none yet.
            resources: All that are loaded.
            new: A note for each table that needs one, parents before their children.

        Raises:
            QueryFailedError: When a statement fails; then nothing is changed.
            dlt.common.exceptions.DltException: When the schema cannot be made.
        """
        named = set(resources)
        with self._session() as reader:
            old = [note for note in self._notes(reader) if note.resource in named]
            if new and not self._has_table:
                self._make_table(reader, pipeline)
            self._exchange(reader, old, new)

    def undo(self, load_ids: Iterable[str]) -> None:
        """Delete the appended rows of loads that just failed; a full refresh stays noted.

        A load that was entered in `_dlt_loads` before it was interrupted stays.
        """
        failed = set(load_ids)
        try:
            with self._session() as reader:
                noted = self._notes(reader)
                notes = [n for n in noted if n.load_id in failed and not n.full_refresh]
                self._exchange(reader, notes, [])
        except QueryFailedError as error:
            self._log.warning("the rows of the failed load are left to the next run: %s", error)

    def finish(self, load_ids: Iterable[str]) -> None:
        """Remove the notes of loads that are complete."""
        done = set(load_ids)
        notes = [note for note in self._known or () if note.load_id in done]
        if not notes:
            return
        try:
            with self._session() as reader:
                self._forget(reader, notes)
        except QueryFailedError as error:
            # The next run finds the load in `_dlt_loads`, and removes no row.
            self._log.warning("the load is complete, but its note stays: %s", error)
        else:
            self._known = [note for note in self._known or () if note not in notes]

    @contextmanager
    def _session(self) -> Iterator[TableReader]:
        with closing(TableReader(self._settings, self._names)) as reader:
            yield reader

    def _sql(self, table: str) -> str:
        return f'"{self._database}"."{self._schema}"."{table.upper()}"'

    def _notes(self, reader: TableReader) -> list[Note]:
        """Return what is noted; it is read once, because only this step changes it."""
        if self._known is None:
            self._has_table = bool(reader.columns(Relation(self._database, self._schema, NOTES)))
            self._known = self._read(reader) if self._has_table else []
        return self._known

    def _read(self, reader: TableReader) -> list[Note]:
        sql = (
            "select load_id, resource, table_name, parent_name, full_refresh"  # noqa: S608 - our own names
            f" from {self._sql(NOTES)} where pipeline = %s order by load_id, position"
        )
        return [Note(*row) for row in reader.query(sql, (self._pipeline,))]

    def _complete(self, reader: TableReader, notes: Sequence[Note]) -> set[str]:
        """Return the ids of those loads that were complete before their notes were removed."""
        loads = Relation(self._database, self._schema, "_DLT_LOADS")
        if not notes or not reader.columns(loads):
            return set()
        complete = reader.query(
            f"select load_id from {self._sql('_dlt_loads')} where status = 0"  # noqa: S608 - our own names
            f" and load_id in ({_marks(notes)})",
            [note.load_id for note in notes],
        )
        return {str(load_id) for (load_id,) in complete}

    def _make_table(self, reader: TableReader, pipeline: dlt.Pipeline) -> None:
        with pipeline.destination_client() as client:
            client.initialize_storage()
        reader.query(f"create table if not exists {self._sql(NOTES)} ({_COLUMNS})")
        self._has_table = True

    def _exchange(self, reader: TableReader, old: Sequence[Note], new: Sequence[Note]) -> None:
        """Put new notes in the place of old ones, whose rows are deleted; or do nothing."""
        if not old and not new:
            return
        complete = self._complete(reader, old)
        known, self._known = self._known or [], None  # where this fails, to be read again
        reader.query("begin")  # the session ends with the reader, and its transaction with it
        cut_short = [note for note in old if note.load_id not in complete]
        removed = list(self._delete_rows(reader, cut_short))
        self._forget(reader, old)
        self._insert(reader, new)
        reader.query("commit")
        self._known = [*(note for note in known if note not in old), *new]
        for note, rows in removed:
            self._log.warning(
                "load %s was cut short: removed %s rows of it from %s",
                note.load_id,
                f"{rows:,}",
                note.table,
            )

    def _delete_rows(
        self, reader: TableReader, notes: Sequence[Note]
    ) -> Iterator[tuple[Note, int]]:
        """Delete the rows of a load, then those of its child tables that have no parent now.

        What a full refresh has loaded stays: it is all that the table has. Neither is anything
        touched in a table that the load had not reached to make, or that is not dlt's.
        """
        appended = [note for note in notes if not note.full_refresh]
        if not appended:
            return
        found = reader.query(
            f"select table_name, column_name from {self._database}.information_schema.columns"  # noqa: S608 - our own names
            " where table_schema = %s and column_name in (%s, %s, %s)",
            (self._schema, *_KEYS),
        )
        keys = {(str(table), str(column)) for table, column in found}
        for note in appended:
            table = note.table.upper()
            if note.parent is None and (table, "_DLT_LOAD_ID") in keys:
                sql = f"delete from {self._sql(table)} where _dlt_load_id = %s"  # noqa: S608 - as above
                yield note, int(reader.query(sql, (note.load_id,))[0][0])
            elif (
                note.parent
                and {(table, "_DLT_PARENT_ID"), (note.parent.upper(), "_DLT_ID")} <= keys
            ):
                sql = (
                    f"delete from {self._sql(table)} where _dlt_parent_id not in"  # noqa: S608 - as above
                    # `not in` is never true of a list that holds a null.
                    f" (select _dlt_id from {self._sql(note.parent)} where _dlt_id is not null)"
                )
                yield note, int(reader.query(sql)[0][0])

    def _forget(self, reader: TableReader, notes: Sequence[Note]) -> None:
        pairs = sorted({(note.load_id, note.resource) for note in notes})
        for load_id, resource in pairs:
            reader.query(
                f"delete from {self._sql(NOTES)}"  # noqa: S608 - our own names
                " where pipeline = %s and load_id = %s and resource = %s",
                (self._pipeline, load_id, resource),
            )

    def _insert(self, reader: TableReader, notes: Sequence[Note]) -> None:
        if not notes:
            return
        values: list[object] = []
        for position, note in enumerate(notes):
            values += [note.load_id, self._pipeline, note.resource, note.table, note.parent]
            values += [position, note.full_refresh, datetime.now(UTC)]
        row = f"({', '.join(['%s'] * (len(values) // len(notes)))})"
        reader.query(
            f"insert into {self._sql(NOTES)} values {', '.join([row] * len(notes))}",  # noqa: S608 - as above
            values,
        )


def _marks(items: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(items))

"""Puts what Sling has loaded into new tables in the place of the tables that they replace.

A table is replaced by one statement: who reads it meanwhile sees all of the old rows or all of the
new ones. `CREATE OR REPLACE … CLONE` copies no data in Snowflake, and keeps the privileges that
were granted on the table, which `SWAP WITH` would exchange with those of the new one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

import dagster as dg

from factories.core.execution.step import OpenStep
from factories.core.execution.subprocesses import RawLine
from factories.core.execution.table_reader import QueryFailedError, TableReader
from factories.core.warehouse.names import Relation, WarehouseNames
from factories.core.warehouse.quoting import sql_identifier
from factories.sling.loaded_table import parse_relation
from factories.sling.objects import name_parts
from factories.sling.replaced_tables import (
    MARK,
    NEW_TABLE,
    ReplacedTable,
    render_post_sql,
    without_suffix,
)
from factories.sling.replication_log import StreamResult

CREATED = re.compile(r"^created table (?P<table>.+)$")
# Then Sling leaves the table as it is, also with an `env` that forbids tables without rows.
NOTHING_DONE = ("no data or records found in stream. Nothing to do", "no new data found in source")
LEFTOVERS_SQL = """
    select table_name from {database}.information_schema.tables
    where table_schema = %s and contains(upper(table_name), %s)
"""


class TableReplacement:
    """Replaces the tables of one step's streams, each when its rows are loaded."""

    def __init__(
        self,
        log: dg.DagsterLogManager,
        step: OpenStep,
        names: WarehouseNames,
        plans: Mapping[str, ReplacedTable],
        loaded: Sequence[Relation] = (),
    ) -> None:
        """Take what is needed; nothing is sent yet.

        Args:
            log: The run's log.
            step: Its session is used, and for `post_sql` others are opened.
            names: How the target's databases and schemas are called.
            plans: How tables are replaced, by their streams.
            loaded: All tables that the step loads, as far as they are known before.
        """
        self._log, self._reader, self._settings = log, step.reader, step.settings
        self._names, self._plans, self._loaded = names, plans, loaded
        self._searched = False
        self._created: list[str] = []  # new tables of the stream that is being loaded
        self._nothing_done = False  # for that stream
        self._keeping: set[str] = set()  # streams whose new table has the columns of the old one
        self._leftovers: dict[tuple[str, str], list[str]] = {}

    def prepare(self, streams: Iterable[str]) -> dict[str, str]:
        """Make the new tables that must have the columns of the old ones.

        Args:
            streams: Those that Sling will load.

        Returns:
            The streams for which this failed, and why.
        """
        refused: dict[str, str] = {}
        for name in streams:
            plan = self._plans.get(name)
            if plan is None or not plan.keeps_table or plan.place.relation is None:
                continue
            self._keeping.discard(name)
            table = plan.place.relation
            new = replace(table, table=f"{table.table}{plan.suffix}")
            try:
                self._reader.query(f"create or replace table {new.sql} like {table.sql}")
            except QueryFailedError as error:
                if not error.is_missing:  # else Sling makes the first one
                    refused[name] = str(error)
            else:
                self._keeping.add(name)
        return refused

    def follow(self, lines: Iterator[RawLine]) -> Iterator[RawLine]:
        """Yield a process's lines; at the first, drop what killed runs have left.

        Sling works meanwhile, so that this takes no time of its own.
        """
        for line in lines:
            if not self._searched:
                self._searched = True
                self._drop_leftovers(self._loaded)
            yield line

    def note(self, text: str) -> None:
        """Remember what a line of Sling's log says of the stream that is being loaded.

        That is a new table, or the temporary one for it, that was made; or that there are no rows,
        for which the old table is not to be replaced.
        """
        self._nothing_done |= text.startswith(NOTHING_DONE)
        match = CREATED.match(text)
        if match and NEW_TABLE.fullmatch(name_parts(match["table"])[-1]):
            self._created.append(match["table"])

    def finish(self, result: StreamResult) -> StreamResult:
        """Replace the table of a stream that was loaded; drop what is left of one that failed.

        Returns:
            The result: of the table that was replaced, or of the failure to replace it.
        """
        created, self._created = self._created, []
        nothing_done, self._nothing_done = self._nothing_done, False
        plan = self._plans.get(result.name)
        if plan is None:
            return result
        database, table = plan.place.database, plan.place.relation
        left = {parse_relation(name, self._names, database) for name in created}
        if table is not None:
            new = replace(table, table=f"{table.table}{plan.suffix}")
        elif result.table:
            new = parse_relation(result.table, self._names, database)
            table = replace(new, table=without_suffix(new.table))
            self._drop_leftovers([table])
        if result.name in self._keeping:
            left.add(new)
        if not result.succeeded or table is None:
            self._drop(left)
            return result
        result = replace(result, table=without_suffix(result.table))
        if nothing_done:
            self._log.info("%s: no rows, so %s stays as it was", result.name, table)
            self._drop(left)
            return result
        try:
            if result.name in self._keeping:
                self._replace_rows(table, new)
            else:
                self._replace_table(plan, table, new)
        except QueryFailedError as error:
            self._drop([new])
            reason = f"the rows are loaded, but {table} was not replaced: {error}"
            return replace(result, succeeded=False, error=reason)
        self._drop([new])
        return self._run_post_sql(result, plan, table)

    def _replace_table(self, plan: ReplacedTable, table: Relation, new: Relation) -> None:
        kind = "transient table" if plan.transient else "table"
        self._reader.query(f"create or replace {kind} {table.sql} clone {new.sql} copy grants")
        if plan.clustered:  # of a clone it is suspended
            try:
                self._reader.query(f"alter table {table.sql} resume recluster")
            except QueryFailedError as error:
                self._log.warning("%s is not clustered any more: %s", table, error)

    def _replace_rows(self, table: Relation, new: Relation) -> None:
        """Replace a table's rows, and nothing else of it; columns that are new are added before."""
        known = {str(row[0]) for row in self._reader.query(f"describe table {table.sql}")}
        columns = {
            str(name): str(kind)
            for name, kind, what, *_ in self._reader.query(f"describe table {new.sql}")
            if what == "COLUMN"
        }
        if added := [
            f"{sql_identifier(name)} {columns[name]}" for name in columns if name not in known
        ]:
            self._reader.query(f"alter table {table.sql} add column {', '.join(added)}")
        listed = ", ".join(map(sql_identifier, columns))
        self._reader.query(
            f"insert overwrite into {table.sql} ({listed}) select {listed} from {new.sql}"  # noqa: S608 - quoted
        )

    def _run_post_sql(
        self, result: StreamResult, plan: ReplacedTable, table: Relation
    ) -> StreamResult:
        """Run a stream's SQL for after the load, in a session of its own as Sling does."""
        if not plan.post_sql:
            return result
        with closing(TableReader(self._settings, self._names)) as session:
            try:
                session.query(
                    f"use schema {sql_identifier(table.database)}.{sql_identifier(table.schema)}"
                )
                session.run_script(render_post_sql(plan, table))
            except QueryFailedError as error:
                reason = f"{table} is replaced, but post_sql failed: {error}"
                return replace(result, succeeded=False, error=reason)
        return result

    def _drop(self, tables: Iterable[Relation]) -> None:
        """Drop tables that nobody needs; where that fails the next run does it."""
        for table in tables:
            try:
                self._reader.query(f"drop table if exists {table.sql}")
            except QueryFailedError as error:
                self._log.warning("%s is left, until the next run drops it: %s", table, error)

    def _drop_leftovers(self, tables: Sequence[Relation]) -> None:
        """Drop the new tables for these that earlier runs have left, and their temporary ones."""
        by_schema: dict[tuple[str, str], set[str]] = defaultdict(set)
        for table in tables:
            by_schema[table.database, table.schema].add(table.table.upper())
        own = {plan.suffix.upper() for plan in self._plans.values()}
        for (database, schema), names in by_schema.items():
            left = [
                Relation(database, schema, name)
                for name in self._find_new_tables(database, schema)
                if (parts := NEW_TABLE.fullmatch(name))
                and parts["table"].upper() in names
                and f"{MARK}{parts['run']}".upper() not in own
            ]
            if left:
                self._log.info("dropping what a killed run has left: %s", ", ".join(map(str, left)))
                self._drop(left)

    def _find_new_tables(self, database: str, schema: str) -> list[str]:
        if (database, schema) not in self._leftovers:
            sql = LEFTOVERS_SQL.format(database=sql_identifier(database).replace("%", "%%"))
            found: list[Sequence[object]] = []
            try:
                found = self._reader.query(sql, (schema, MARK))
            except QueryFailedError as error:
                self._log.warning("what killed runs have left cannot be looked for: %s", error)
            self._leftovers[database, schema] = [str(name) for (name,) in found]
        return self._leftovers[database, schema]

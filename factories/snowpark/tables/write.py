"""Writing rows into a table of the warehouse: checked first, and all of them or none.

The rows are first kept in a temporary table, which only this session sees: so a query runs once,
and what is checked is what is written. A table then changes by one statement, or by one
transaction: what is killed before its end leaves the table as it was.

One thing can stay of a write that is killed: columns that the table lacked. In Snowflake a
statement that defines something is committed at once, so they are added before the rows come, when
these are checked and have been seen to fit the types of the table. A write that is killed right
then leaves the rows as they were, with nulls in the new columns; the next one goes on from there.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from snowflake.snowpark import DataFrame, Session

from factories.core.warehouse.names import Relation
from factories.core.warehouse.watchdog import WarehouseLostError
from factories.snowpark.catalog import create_schema, table_columns
from factories.snowpark.config.entries import TableEntry
from factories.snowpark.errors import SnowparkStepError
from factories.snowpark.partition_filter import (
    Covered,
    build_condition,
    column_name,
    find_column,
    format_names,
)
from factories.snowpark.session import WAREHOUSE_ERRORS, transaction

# ruff: noqa: S608 - names from the project's own YAML, and what the warehouse calls columns


class WriteError(SnowparkStepError):
    """The rows cannot be written as YAML has it; the table is as it was."""


@dataclass(frozen=True)
class Written:
    """What a write did.

    Attributes:
        rows: How many rows were made.
        inserted: Of these, new ones.
        updated: Rows whose keys were there already, and that were written again.
        deleted: Rows that the new ones replace.
    """

    rows: int
    inserted: int
    updated: int = 0
    deleted: int = 0


def write(
    session: Session, table: TableEntry, frame: DataFrame, covered: Covered | None = None
) -> Written:
    """Write the rows of a data frame as a table's `mode` says; of partitions, these alone.

    Args:
        session: Snowpark's.
        table: Where they go.
        frame: The rows; it runs once.
        covered: The partitions that the run covers, None for a table without partitions.

    Raises:
        WriteError: When rows lack a key, share one or lie outside the partitions, or the columns
            are not those of the table; then nothing was written.
    """
    relation = table.relation
    create_schema(session, relation.database, relation.schema)
    with _temporary(session, relation) as kept:
        frame.write.save_as_table(kept, mode="errorifexists", table_type="temporary")
        return _Writer(session, table, kept, covered).write()


@contextmanager
def _temporary(session: Session, beside: Relation) -> Iterator[str]:
    """Yield what SQL calls a table that will be created beside another, and drop it at the end.

    The caller makes it a temporary one.
    """
    name = f"DP_ROWS_{uuid.uuid4().hex.upper()}"
    relation = Relation(beside.database, beside.schema, name).sql
    try:
        yield relation
    except WarehouseLostError:
        raise
    except BaseException:
        _drop(session, relation)
        raise
    else:
        _drop(session, relation)


def _drop(session: Session, relation: str) -> None:
    # It is temporary: that it stays must not make a write fail, which would be done again.
    with suppress(*WAREHOUSE_ERRORS):
        session.sql(f"drop table if exists {relation}").collect()


class _Writer:
    """Writes rows that lie in a temporary table; all names in it are as SQL has them."""

    def __init__(
        self, session: Session, table: TableEntry, kept: str, covered: Covered | None
    ) -> None:
        self._session = session
        self._table = table
        self._relation = table.relation.sql
        self._kept = kept
        self._schema = session.table(kept).schema
        self._columns = [field.column_identifier.quoted_name for field in self._schema.fields]
        self._keys = [self._key(name) for name in table.keys]
        self._partition = table.meta.partition if covered is not None else None
        self._window = (
            build_condition(self._schema, str(self._partition.column), covered)
            if covered is not None and self._partition is not None
            else None
        )

    def write(self) -> Written:
        rows = self._count(f"select count(*) from {self._kept}")
        self._check_rows()
        if self._table.mode == "overwrite" and self._window is None:
            made = f"select * from {self._kept}"
            self._run(f"create or replace table {self._relation} copy grants as {made}")
            return Written(rows, rows)
        there = table_columns(self._session, self._relation)
        if there is None:
            self._run(f"create table {self._relation} as select * from {self._kept}")
            return Written(rows, rows)
        new = self._new_columns(there)
        self._check_others()
        if new:
            self._check_types(new)
            self._run(f"alter table {self._relation} add column {self._list(new)}")
        if self._table.mode == "merge":
            return self._merge(rows)
        if self._window is None:
            self._insert(self._relation)
            return Written(rows, rows)
        with transaction(self._session):
            deleted = self._count(f"delete from {self._relation} where {self._window}")
            self._insert(self._relation)
        return Written(rows, rows, deleted=deleted)

    def _key(self, name: str) -> str:
        column = find_column(self._schema, name)
        if column is None:
            has = format_names(map(column_name, self._columns))
            raise WriteError(f"the rows have no column {name}, which is a key; they have {has}")
        return column

    def _check_rows(self) -> None:
        """Raise when the rows contradict themselves."""
        for name, key in zip(self._table.keys, self._keys, strict=True):
            if wrong := self._count(f"select count(*) from {self._kept} where {key} is null"):
                raise WriteError(f"{wrong:,} rows have no {name}, which is a key")
        if self._keys:
            groups = f"select 1 from {self._kept} group by {self._list(self._keys)}"
            wrong = self._count(f"select count(*) from ({groups} having count(*) > 1)")
            if wrong:
                names = ", ".join(self._table.keys)
                raise WriteError(f"{wrong:,} values of the keys ({names}) are in several rows")
        if self._window:
            inside = f"coalesce({self._window}, false)"
            if wrong := self._count(f"select count(*) from {self._kept} where not {inside}"):
                raise WriteError(f"{wrong:,} rows lie outside the partitions of this run")

    def _new_columns(self, columns: Mapping[str, str]) -> list[str]:
        """Return the definitions of columns that the table lacks.

        Args:
            columns: The types of the columns that it has, by name.

        Raises:
            WriteError: When the rows lack one that it has, or it lacks one that tells which of
                its rows are meant.
        """
        made = {column_name(column): column for column in self._columns}
        if missing := sorted(columns.keys() - made.keys()):
            raise WriteError(
                f"the rows lack columns that {self._table.relation} has: {format_names(missing)}"
            )
        telling = dict.fromkeys(self._keys, "a key")
        if self._partition:
            column = find_column(self._schema, str(self._partition.column))
            telling[str(column)] = "the partitions' column"
        for column, what in telling.items():
            if column_name(column) not in columns:
                # Its rows would have nulls there: they would stay beside those that replace them.
                name = format_names([column_name(column)])
                raise WriteError(
                    f"{self._table.relation} has no column {name}, which is {what}: drop the table"
                    " to have it created again"
                )
        kinds = table_columns(self._session, self._kept) or {}
        return [f"{column} {kinds[name]}" for name, column in made.items() if name not in columns]

    def _check_types(self, new: Sequence[str]) -> None:
        """Insert the rows into an empty copy of the table, which fails as it would there.

        Only before columns are added: what else fails takes nothing with it.
        """
        with _temporary(self._session, self._table.relation) as copy:
            self._run(f"create temporary table {copy} like {self._relation}")
            self._run(f"alter table {copy} add column {self._list(new)}")
            self._insert(copy)

    def _check_others(self) -> None:
        """Raise when rows that stay have the keys of new ones, which would then be there twice."""
        if self._table.mode == "merge" or not self._keys:
            return
        stays = f" where not coalesce({self._window}, false)" if self._window else ""
        there = f"select {self._list(self._keys)} from {self._relation}{stays}"
        same = " and ".join(f"there.{key} = made.{key}" for key in self._keys)
        wrong = self._count(
            f"select count(*) from {self._kept} made join ({there}) there on {same}"
        )
        if wrong:
            names = ", ".join(self._table.keys)
            where = "other partitions" if self._window else "the table"
            raise WriteError(f"{wrong:,} values of the keys ({names}) are in {where} already")

    def _merge(self, rows: int) -> Written:
        same = " and ".join(f"old.{key} = made.{key}" for key in self._keys)
        others = [column for column in self._columns if column not in self._keys]
        update = ", ".join(f"old.{column} = made.{column}" for column in others)
        matched = f" when matched then update set {update}" if update else ""
        values = ", ".join(f"made.{column}" for column in self._columns)
        (found,) = self._session.sql(
            f"merge into {self._relation} old using {self._kept} made on {same}{matched}"
            f" when not matched then insert ({self._list(self._columns)}) values ({values})"
        ).collect()
        inserted = int(found[0])
        return Written(rows, inserted, updated=rows - inserted)

    def _insert(self, relation: str) -> None:
        columns = self._list(self._columns)
        self._run(f"insert into {relation} ({columns}) select {columns} from {self._kept}")

    def _run(self, sql: str) -> None:
        self._session.sql(sql).collect()

    def _count(self, sql: str) -> int:
        """Return the number that a query gives, or the rows that a statement changed."""
        return int(self._session.sql(sql).collect()[0][0])

    @staticmethod
    def _list(columns: Sequence[str]) -> str:
        return ", ".join(columns)

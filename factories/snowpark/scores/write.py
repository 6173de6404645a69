"""Writing what a model says: first beside the table, then into it, at once."""
# ruff: noqa: S608 - every name in the SQL comes from the project's own YAML

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
from snowflake.snowpark import Session

from factories.core.warehouse.names import Relation
from factories.core.warehouse.quoting import sql_identifier
from factories.snowpark.catalog import create_schema, table_columns
from factories.snowpark.config.entries import ScoreEntry
from factories.snowpark.in_snowflake.errors import ModelError
from factories.snowpark.models.registry import Version
from factories.snowpark.tables.write import Written

VALUE = "value"  # of the temporary table; no column of the output, which are all in upper case


class ScoresWriter:
    """Takes values by key into a temporary table, and writes them to the output at the end.

    Attributes:
        rows: How many values it has taken.
    """

    def __init__(self, session: Session, entry: ScoreEntry, version: Version) -> None:
        """Take what is written where; nothing runs yet."""
        self.rows = 0
        self._session = session
        self._entry = entry
        self._version = version
        self._keys = [sql_identifier(key.upper()) for key in entry.keys]
        self._columns = [
            *self._keys,
            sql_identifier(entry.column.upper()),
            sql_identifier("MODEL_VERSION"),
            sql_identifier("SCORED_AT"),
        ]
        registry = entry.model.registry
        name = f"SCORES_{uuid.uuid4().hex[:12]}".upper()
        self._made = Relation(registry.database, registry.schema, name)

    def begin(self, query: str) -> None:
        """Make the temporary table for the keys of a query."""
        self._run(
            f"create temporary table {self._made.sql} as select {', '.join(self._keys)},"
            f" 0::float as {sql_identifier(VALUE)} from ({query}) where false"
        )

    def add(self, rows: pd.DataFrame, values: pd.Series) -> None:
        """Take values of rows that were read, as the warehouse gave them."""
        frame = rows[[key.upper() for key in self._entry.keys]].reset_index(drop=True)
        frame[VALUE] = values.to_numpy()
        self._session.write_pandas(
            frame,
            self._made.table,
            database=self._made.database,
            schema=self._made.schema,
            auto_create_table=False,
            use_logical_type=True,
        )
        self.rows += len(frame)

    def insert(self, expression: str, query: str) -> None:
        """Take values that an SQL expression makes of a query's rows."""
        (inserted,) = self._run(
            f"insert into {self._made.sql}"
            f" select {', '.join(self._keys)}, {expression} from ({query})"
        )
        self.rows += int(inserted[0])

    def write(self) -> Written:
        """Write the values by one statement; what it changes is all or nothing.

        A table that is not there is made with them. `overwrite` creates it again, as it does with
        features: with the grants that it has.

        Raises:
            ModelError: When two rows share their keys, a key is null, or the table has other
                columns; then nothing was written.
        """
        self._check_keys()
        relation, merges = self._entry.relation, self._entry.mode == "merge"
        columns = table_columns(self._session, relation.sql) if merges else None
        if columns is not None:
            return self._merge(columns)
        create_schema(self._session, relation.database, relation.schema)
        create, grants = ("create", "") if merges else ("create or replace", "copy grants")
        self._run(f"{create} table {relation.sql} {grants} as {self._rows_sql()}")
        return Written(self.rows, self.rows)

    def _merge(self, columns: Collection[str]) -> Written:
        there = {sql_identifier(name) for name in columns}
        if missing := [name for name in self._columns if name not in there]:
            names = ", ".join(name.strip('"').lower() for name in missing)
            raise ModelError(
                f"{self._entry.relation} has no column {names}: it was made for other keys or"
                " another column; drop the table, or name another"
            )
        inserted, updated = self._run(self._merge_sql())[0][:2]
        return Written(self.rows, int(inserted), int(updated))

    def _check_keys(self) -> None:
        """Make sure that the keys distinguish every row from all others that were scored.

        The query that gave them, asked again, may give others by now.
        """
        made, keys = self._made.sql, ", ".join(self._keys)
        nulls = " or ".join(f"{key} is null" for key in self._keys)
        sql = (
            f"select count(*), count_if({nulls}),"
            f" (select count(*) from (select distinct {keys} from {made})) from {made}"
        )
        rows, without, distinct = self._run(sql)[0]
        if without:
            names = " or no ".join(self._entry.keys)
            raise ModelError(f"{without} of {rows} rows to score have no {names}")
        if distinct < rows:
            names = ", ".join(self._entry.keys)
            raise ModelError(
                f"{rows - distinct} of {rows} rows to score share their {names} with another:"
                " nothing was written"
            )

    def _rows_sql(self) -> str:
        *keys, value, version, scored_at = self._columns
        return (
            f"select {', '.join(keys)}, {sql_identifier(VALUE)} as {value},"
            f" {self._version.version}::integer as {version},"
            f" current_timestamp()::timestamp_ltz as {scored_at} from {self._made.sql}"
        )

    def _merge_sql(self) -> str:
        *keys, value, version, scored_at = self._columns
        same_key = " and ".join(f"t.{key} = s.{key}" for key in keys)
        changed = (
            f"t.{version} is distinct from s.{version} or t.{value} is distinct from s.{value}"
        )
        update = ", ".join(f"t.{name} = s.{name}" for name in (value, version, scored_at))
        return (
            f"merge into {self._entry.relation.sql} t using ({self._rows_sql()}) s on {same_key}"
            # Equal rows stay: `scored_at` is when a version first gave this value.
            f" when matched and ({changed}) then update set {update}"
            f" when not matched then insert ({', '.join(self._columns)})"
            f" values ({', '.join(f's.{name}' for name in self._columns)})"
        )

    def _run(self, sql: str) -> list[Any]:
        return self._session.sql(sql).collect()

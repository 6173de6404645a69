"""What can be told of a loaded table: its rows, its columns, and whether its checks pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import dagster as dg

from factories.checks import (
    COLUMN_SCHEMA,
    ChecksSpec,
    LoadedTable,
    QueryFailedError,
    previous_columns,
    run_checks,
)
from factories.masking import SecretMask
from factories.sql_text import identifier
from factories.warehouse import (
    RAW,
    Relation,
    WarehouseConnection,
    WarehouseNames,
    WarehouseSettings,
)

COLUMNS_SQL = """
    select column_name, data_type
    from {database}.information_schema.columns
    where upper(table_schema) = upper(%s) and upper(table_name) = upper(%s)
    order by ordinal_position
"""


class TableReader:
    """Looks at loaded tables through one session, opened when first needed."""

    def __init__(self, settings: WarehouseSettings, names: WarehouseNames) -> None:
        """Take what a session needs; nothing is opened yet."""
        self._settings = settings
        self._names = names
        self._opened: WarehouseConnection | None = None

    @cached_property
    def _connection(self) -> WarehouseConnection:
        self._opened = self._settings.connect(self._names.database(RAW))
        return self._opened

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Sequence[Any]]:
        """Return the rows of one statement.

        Raises:
            QueryFailedError: When there is no session, or the statement fails; told without
                secrets.
        """
        from snowflake.connector.errors import Error  # noqa: PLC0415 - 0.4 s, while the tool loads

        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, tuple(parameters))
                return list(cursor.fetchall())
        except Error as error:
            raise QueryFailedError(SecretMask(self._settings.secrets)(str(error))) from None

    def columns(self, relation: Relation) -> dict[str, str]:
        """Return the types of a table's columns by name, in order.

        Raises:
            QueryFailedError: When they cannot be read.
        """
        sql = COLUMNS_SQL.format(database=identifier(relation.database))
        rows = self.query(sql, (relation.schema, relation.table))
        return {str(name): str(kind) for name, kind in rows}

    def row_count(self, relation: Relation) -> int:
        """Return how many rows a table has.

        Raises:
            QueryFailedError: When it cannot be read.
        """
        return int(self.query(f"select count(*) from {relation.sql}")[0][0])  # noqa: S608 - names from the project's own YAML

    def close(self) -> None:
        """End the session, if one was opened."""
        if self._opened is not None:
            self._opened.close()


def table_metadata(
    reader: TableReader, relation: Relation, columns: Mapping[str, str]
) -> dict[str, Any]:
    """Return a table's row count, name and columns under the names that Dagster's UI knows.

    Raises:
        QueryFailedError: When the table cannot be read.
    """
    return {
        "dagster/row_count": reader.row_count(relation),
        "dagster/table_name": str(relation),
        COLUMN_SCHEMA: dg.TableSchema([dg.TableColumn(*column) for column in columns.items()]),
    }


def check_results(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    checks: ChecksSpec | None,
    relation: Relation,
    reader: TableReader,
    *,
    columns: Mapping[str, str] | None = None,
    loaded_at: float | None = None,
) -> Iterator[dg.AssetCheckResult]:
    """Run those checks of a table that the run has selected; see `table_checks`."""
    selected = {k.name for k in context.selected_asset_check_keys if k.asset_key == key}
    if checks is None or not selected:
        return
    for result in table_checks(
        context.instance, key, checks, relation, reader, columns=columns, loaded_at=loaded_at
    ):
        if result.check_name in selected:
            yield result


def table_checks(
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    checks: ChecksSpec,
    relation: Relation,
    reader: TableReader,
    *,
    columns: Mapping[str, str] | None = None,
    loaded_at: float | None = None,
) -> Iterator[dg.AssetCheckResult]:
    """Run the checks of a table.

    Args:
        instance: Knows the columns of the load before.
        key: The asset.
        checks: What its block says.
        relation: The table.
        reader: Looks at it.
        columns: Its columns, where the caller has them already.
        loaded_at: When the materialization of this load was recorded, if it was already.
    """
    if columns is None:
        try:
            columns = reader.columns(relation)
        except QueryFailedError:
            columns = {}  # each check tells what it misses
    previous = previous_columns(instance, key, before=loaded_at)
    yield from run_checks(key, checks, LoadedTable(relation.sql, columns, previous, reader.query))

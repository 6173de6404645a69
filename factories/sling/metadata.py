"""What a materialization tells of the loaded table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import dagster as dg

from factories.checks import (
    COLUMN_SCHEMA,
    LoadedTable,
    QueryFailedError,
    previous_columns,
    run_checks,
)
from factories.sling.connections import DATABASE
from factories.sling.log import StreamResult
from factories.sling.replications import Stream
from factories.warehouse import WarehouseConnection, WarehouseNames, WarehouseSettings

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
        self._opened = self._settings.connect(self._names.database(DATABASE))
        return self._opened

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Sequence[Any]]:
        """Return the rows of one statement.

        Raises:
            QueryFailedError: When there is no session, or the statement fails.
        """
        from snowflake.connector.errors import Error  # noqa: PLC0415 - 0.4 s, while Sling loads

        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, tuple(parameters))
                return list(cursor.fetchall())
        except Error as error:
            raise QueryFailedError(str(error)) from None

    def relation(self, stream: Stream) -> tuple[str, str, str]:
        """Return a stream's database, schema and table, as Snowflake stores plain names."""
        table = stream.table
        database = self._names.database(table.database or DATABASE)
        return database, self._names.schema(table.schema).upper(), table.table.upper()

    def relation_name(self, stream: Stream) -> str:
        """Return a stream's table as SQL names it."""
        return ".".join(self.relation(stream))

    def columns(self, stream: Stream) -> dict[str, str]:
        """Return the types of a table's columns by name, in order."""
        database, schema, table = self.relation(stream)
        rows = self.query(COLUMNS_SQL.format(database=database), (schema, table))
        return {str(name): str(kind) for name, kind in rows}

    def close(self) -> None:
        """End the session, if one was opened."""
        if self._opened is not None:
            self._opened.close()


def materialize_result(
    context: dg.AssetExecutionContext,
    stream: Stream,
    result: StreamResult,
    reader: TableReader,
) -> dg.MaterializeResult[Any]:
    """Describe a loaded stream, and run the asset's checks on it.

    The rows are loaded: what cannot be read of the table afterwards is a warning, no failure, and
    does not stop the streams that Sling still loads.
    """
    metadata = _result_metadata(stream, result)
    columns: dict[str, str] = {}  # where they cannot be read, each check tells what it misses
    try:
        columns = reader.columns(stream)
        metadata |= _table_metadata(reader, stream, columns)
    except QueryFailedError as error:
        context.log.warning("%s is loaded but cannot be read: %s", stream.name, error)
    return dg.MaterializeResult(
        asset_key=stream.key,
        metadata=metadata,
        check_results=list(check_results(context, stream, reader, columns)),
    )


def check_results(
    context: dg.AssetExecutionContext,
    stream: Stream,
    reader: TableReader,
    columns: dict[str, str] | None = None,
) -> Iterator[dg.AssetCheckResult]:
    """Run those checks of a stream's table that the run has selected.

    The columns are read, unless the caller has them already.
    """
    checks = stream.meta.checks
    selected = {k.name for k in context.selected_asset_check_keys if k.asset_key == stream.key}
    if checks is None or not selected:
        return
    if columns is None:
        try:
            columns = reader.columns(stream)
        except QueryFailedError:
            columns = {}
    table = LoadedTable(
        reader.relation_name(stream),
        columns,
        previous_columns(context.instance, stream.key),
        reader.query,
    )
    for result in run_checks(stream.key, checks, table):
        if result.check_name in selected:
            yield result


def _result_metadata(stream: Stream, result: StreamResult) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "rows_inserted": result.rows,
        "seconds": round(result.seconds, 3),
        "rows_per_second": round(result.rows / result.seconds) if result.seconds else 0,
        "sling/stream": stream.name,
        "sling/mode": stream.settings.mode,
    }
    if result.bytes is not None:
        metadata["bytes"] = result.bytes
    return metadata


def _table_metadata(reader: TableReader, stream: Stream, columns: dict[str, str]) -> dict[str, Any]:
    name = reader.relation_name(stream)
    rows = int(reader.query(f"select count(*) from {name}")[0][0])  # noqa: S608 - names from the project's own YAML
    return {
        "dagster/row_count": rows,
        "dagster/table_name": name,
        COLUMN_SCHEMA: dg.TableSchema([dg.TableColumn(*column) for column in columns.items()]),
    }

"""What a materialization tells of the loaded table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import dagster as dg

from factories.checks import COLUMN_SCHEMA, LoadedTable, previous_columns, run_checks
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
        """Return the rows of one statement."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, tuple(parameters))
            return list(cursor.fetchall())

    def relation(self, stream: Stream) -> tuple[str, str, str]:
        """Return a stream's database, schema and table, as Snowflake stores plain names."""
        table = stream.table
        database = self._names.database(table.database or DATABASE)
        return database, self._names.schema(table.schema).upper(), table.table.upper()

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
    """Describe a loaded stream, and run the asset's checks on it."""
    relation = ".".join(reader.relation(stream))
    columns = reader.columns(stream)
    table = LoadedTable(
        relation, columns, previous_columns(context.instance, stream.key), reader.query
    )
    selected = context.selected_asset_check_keys
    checks = [
        check
        for check in (
            run_checks(stream.key, stream.meta.checks, table) if stream.meta.checks else ()
        )
        if dg.AssetCheckKey(stream.key, str(check.check_name)) in selected
    ]
    return dg.MaterializeResult(
        asset_key=stream.key,
        metadata=_metadata(stream, result, table),
        check_results=checks,
    )


def _metadata(stream: Stream, result: StreamResult, table: LoadedTable) -> Mapping[str, Any]:
    rows = int(table.query(f"select count(*) from {table.relation}")[0][0])  # noqa: S608 - names from the project's own YAML
    metadata: dict[str, Any] = {
        "rows_inserted": result.rows,
        "seconds": round(result.seconds, 3),
        "rows_per_second": round(result.rows / result.seconds) if result.seconds else 0,
        "dagster/row_count": rows,
        "dagster/table_name": table.relation,
        COLUMN_SCHEMA: dg.TableSchema(
            [dg.TableColumn(name, kind) for name, kind in table.columns.items()]
        ),
        "sling/stream": stream.name,
        "sling/mode": stream.settings.mode,
    }
    if result.bytes is not None:
        metadata["bytes"] = result.bytes
    return metadata

"""The tables of other assets that checks read, which may not be there yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import dagster as dg

from factories.core.execution.table_reader import COLUMN_SCHEMA, QueryFailedError, TableReader
from factories.core.warehouse.names import Relation

TABLE_NAME = "dagster/table_name"
PARTS = 3


@dataclass(frozen=True)
class OtherTable:
    """The table of another asset.

    Attributes:
        relation: The table.
        columns: Its columns, as its asset recorded them.
    """

    relation: Relation
    columns: tuple[str, ...] = ()


class OtherTables(Protocol):
    """Finds the tables of other assets."""

    def find(self, key: dg.AssetKey) -> OtherTable | None:
        """Return the table that an asset has recorded, None when it has not yet."""
        ...

    def read_columns(self, relation: Relation) -> tuple[str, ...]:
        """Return the columns that a table has now; none when it does not exist."""
        ...


class RecordedTables:
    """Finds the tables that the last materializations of assets have recorded."""

    def __init__(self, instance: dg.DagsterInstance, reader: TableReader) -> None:
        """Take where assets have recorded them, and what looks at tables."""
        self._instance = instance
        self._reader = reader

    def find(self, key: dg.AssetKey) -> OtherTable | None:
        """Return the table that an asset has recorded, None when it has not yet."""
        event = self._instance.get_latest_materialization_event(key)
        materialization = event.asset_materialization if event else None
        if materialization is None:
            return None
        name = materialization.metadata.get(TABLE_NAME)
        text = name.value if isinstance(name, dg.TextMetadataValue) else None
        parts = (text or "").split(".")
        if len(parts) != PARTS:
            return None
        schema = materialization.metadata.get(COLUMN_SCHEMA)
        columns = (
            tuple(column.name for column in schema.schema.columns)
            if isinstance(schema, dg.TableSchemaMetadataValue)
            else ()
        )
        return OtherTable(Relation(*parts), columns)

    def read_columns(self, relation: Relation) -> tuple[str, ...]:
        """Return the columns that a table has now; none when it does not exist."""
        try:
            return tuple(self._reader.columns(relation))
        except QueryFailedError:
            return ()

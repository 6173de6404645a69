"""The events of a load, with dagster-dlt's methods that add what the loaded tables hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import dagster as dg
import dlt
from dagster_dlt.dlt_event_iterator import DltEventIterator
from dlt.common.exceptions import DltException
from dlt.destinations.job_client_impl import SqlJobClientBase

from factories.dlt.load.isolated import StepContext

ROW_COUNT = "dagster/row_count"
PARTITION_ROW_COUNT = "dagster/partition_row_count"
COLUMN_SCHEMA = "dagster/column_schema"
Read = Callable[[SqlJobClientBase, str], Mapping[str, Any]]


class DltPipelineEventIterator(DltEventIterator[Any]):
    """Iterates over the events of a load, whether it has loaded rows or nothing.

    The methods return a further iterator, so that they can be chained. What cannot be read of a
    table is a warning in the run's log, no failure: its rows are loaded.
    """

    def __init__(
        self,
        events: Iterator[Any],
        context: StepContext,
        dlt_pipeline: dlt.Pipeline | None,
        tables: Mapping[dg.AssetKey, str],
    ) -> None:
        """Take the events and what is needed to look at the tables.

        Args:
            events: Materializations, and results of checks.
            context: Dagster's.
            dlt_pipeline: Reaches the destination; None where each event has the metadata already.
            tables: The tables of the assets, as dlt calls them.
        """
        super().__init__(events, context, cast("dlt.Pipeline", dlt_pipeline))
        self._events = events
        self._step = context
        self._pipeline = dlt_pipeline
        self._tables = tables

    def fetch_row_count(self) -> DltPipelineEventIterator:
        """Add how many rows each table has; of a partition, how many were loaded."""
        counted = self._add(_row_count)
        if not self._step.has_partition_key:
            return counted
        return self._with(_partition_row_count(event) for event in counted)

    def fetch_column_metadata(self) -> DltPipelineEventIterator:
        """Add the columns of each table, with their types, as the destination has them."""
        return self._add(_column_schema)

    def _add(self, read: Read) -> DltPipelineEventIterator:
        return self._with(self._with_metadata(event, read) for event in self)

    def _with(self, events: Iterator[Any]) -> DltPipelineEventIterator:
        return DltPipelineEventIterator(events, self._step, self._pipeline, self._tables)

    def _with_metadata(self, event: Any, read: Read) -> Any:
        table = self._tables.get(event.asset_key)
        if not _is_materialization(event) or self._pipeline is None or table is None:
            return event
        try:
            with self._pipeline.destination_client() as client:
                if not isinstance(client, SqlJobClientBase):
                    return event
                found = read(client, table)
        except DltException as error:
            self._step.log.warning("%s is loaded but cannot be read: %s", table, error)
            return event
        return _merge_metadata(event, found)


def _is_materialization(event: Any) -> bool:
    return isinstance(event, dg.MaterializeResult | dg.AssetMaterialization)


def _merge_metadata(event: Any, metadata: Mapping[str, Any]) -> Any:
    merged = {**(event.metadata or {}), **metadata}
    if isinstance(event, dg.AssetMaterialization):
        return event.with_metadata(merged)
    return event._replace(metadata=merged)


def _row_count(client: SqlJobClientBase, table: str) -> dict[str, Any]:
    if not client.get_storage_table(table)[0]:
        return {}  # nothing was ever loaded
    name = client.sql_client.make_qualified_table_name(table)
    rows = client.sql_client.execute_sql(f"select count(*) from {name}")  # noqa: S608 - dlt's own quoting
    return {ROW_COUNT: int(rows[0][0]) if rows else 0}


def _partition_row_count(event: Any) -> Any:
    if not _is_materialization(event):
        return event
    loaded = (event.metadata or {}).get("rows_loaded", 0)
    return _merge_metadata(event, {PARTITION_ROW_COUNT: int(getattr(loaded, "value", loaded))})


def _column_schema(client: SqlJobClientBase, table: str) -> dict[str, Any]:
    exists, columns = client.get_storage_table(table)
    if not exists:
        return {}
    return {
        COLUMN_SCHEMA: dg.TableSchema(
            [
                dg.TableColumn(
                    name,
                    str(column.get("data_type", "text")),
                    constraints=dg.TableColumnConstraints(
                        nullable=bool(column.get("nullable", True))
                    ),
                )
                for name, column in columns.items()
            ]
        )
    }

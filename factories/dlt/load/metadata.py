"""What a materialization reports about a loaded resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from factories.core.execution.checks.run import run_selected_checks
from factories.core.execution.data_versions import add_content_hash, find_data_version
from factories.core.execution.table_reader import QueryFailedError, TableReader, table_metadata
from factories.core.warehouse.names import Relation
from factories.dlt.config.pipelines import Resource
from factories.dlt.config.resource_rules import SNAPSHOT_STRATEGIES
from factories.dlt.config.schema import DltResource
from factories.dlt.load.load import LoadedResource

# What dlt adds to rows that is of the load.
OF_A_LOAD = frozenset({"_DLT_ID", "_DLT_LOAD_ID"})
MOST_RECORDS = 100  # in one table of metadata, which lies in Dagster's event storage


def materialize_result(
    context: dg.AssetExecutionContext,
    resource: Resource,
    loaded: LoadedResource,
    reader: TableReader,
) -> dg.MaterializeResult[Any]:
    """Describe a loaded resource, and run the asset's checks on its table.

    The rows are loaded: what cannot be read of the table afterwards is a warning, no failure.
    """
    relation = resource.relation
    own = relation.table.lower()
    metadata = {
        **loaded.details,
        **load_metadata(loaded),
        "dlt/resource": resource.name,
        "dlt/write_disposition": resource.settings.disposition,
    }
    metadata["dagster/table_name"] = str(relation)  # also where there is no table yet
    columns: dict[str, str] = {}  # where they cannot be read, each check says what it misses
    try:
        columns = reader.columns(relation)
        if columns:
            metadata |= table_metadata(reader, relation, columns)
        else:
            context.log.info("%s: the source has given no row yet, so no table", resource.name)
        for table in loaded.rows:
            if table != own:
                metadata |= _child_metadata(reader, relation, table)
    except QueryFailedError as error:
        context.log.warning("%s is loaded but cannot be read: %s", resource.name, error)
    if len(loaded.rows) == 1:  # what is in child tables, a hash of this one does not tell
        add_content_hash(
            context, resource.meta, metadata, reader, relation, columns=columns, ignored=OF_A_LOAD
        )
    elif resource.meta.data_version:
        context.log.info("%s counts as changed: it has child tables, without a hash", relation)
    version = find_data_version(
        context, resource.key, metadata, wrote_nothing=wrote_nothing(resource.settings, loaded)
    )
    checks = run_selected_checks(
        context, resource.key, resource.meta.checks, relation, reader, columns=columns
    )
    return dg.MaterializeResult(
        asset_key=resource.key,
        metadata=metadata,
        check_results=list(checks),
        data_version=version,
    )


def wrote_nothing(settings: DltResource, loaded: LoadedResource) -> bool:
    """Tell whether the tables are as they were.

    A merge that retires or deletes the rows that a load lacks may change them with no row at all.
    """
    if loaded.is_replaced or loaded.attempt > 1 or not loaded.is_empty:
        return False
    if settings.disposition == "merge":
        return settings.strategy not in SNAPSHOT_STRATEGIES
    return settings.disposition == "append"


def _child_metadata(reader: TableReader, parent: Relation, table: str) -> dict[str, Any]:
    relation = Relation(parent.database, parent.schema, table.upper())
    columns = reader.columns(relation)
    if not columns:
        return {}
    described = table_metadata(reader, relation, columns)
    return {f"{table}/{key.removeprefix('dagster/')}": value for key, value in described.items()}


def load_metadata(loaded: LoadedResource) -> dict[str, Any]:
    """Return what a load reports about one resource, whatever its destination."""
    rows = sum(loaded.rows.values())
    metadata: dict[str, Any] = {
        "rows_loaded": next(iter(loaded.rows.values()), 0),  # of its own table
        "seconds": round(loaded.seconds, 3),
        "rows_per_second": round(rows / loaded.seconds) if loaded.seconds else 0,
    }
    if loaded.load_id:
        metadata["dlt/load_id"] = loaded.load_id
    if len(loaded.rows) > 1:
        metadata["dlt/rows_by_table"] = _table(
            {"table": t, "rows": n} for t, n in loaded.rows.items()
        )
    if loaded.new_tables:
        metadata["dlt/new_tables"] = ", ".join(loaded.new_tables)
    if loaded.new_columns:
        metadata["dlt/new_columns"] = _table(
            {"table": table, "column": name, "type": kind}
            for table, columns in loaded.new_columns.items()
            for name, kind in columns.items()
        )
    if loaded.refusals.found:
        metadata["dlt/refused"] = _table(
            {"table": r.table, "entity": r.entity, "name": r.name, "mode": r.mode}
            for r in sorted(loaded.refusals.found)
        )
    if loaded.refusals.rows:
        metadata["dlt/refused_rows"] = sum(loaded.refusals.rows.values())
    return metadata


def _table(records: Iterable[Mapping[str, Any]]) -> dg.MetadataValue[Any]:
    """Return records as a table; of very many the first, and how many more there are."""
    rows = [dict(record) for record in records]
    if len(rows) > MOST_RECORDS:
        first, *others = rows[0]
        more = {first: f"and {len(rows) - MOST_RECORDS} more", **dict.fromkeys(others)}
        rows = [*rows[:MOST_RECORDS], more]
    return dg.MetadataValue.table([dg.TableRecord(row) for row in rows])

"""Whether a step has changed the data of an asset: Dagster's data versions.

The version is the id of the run that last changed the data. A step that has changed nothing gives
the version of before, and what reads the asset need not run. Dagster's own versions are a digest of
the code and of the inputs' versions, and stay the same when a source gives other rows: so each
asset gets one here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from factories.core.conditions.versions import given_version
from factories.core.dagster_internals import planned_by
from factories.core.execution.table_reader import COLUMN_SCHEMA, QueryFailedError, TableReader
from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.warehouse.names import Relation

CONTENT_HASH = "content_hash"
ROW_COUNT = "dagster/row_count"
TABLE_NAME = "dagster/table_name"
# How many plans to make an asset are looked at. More of them since it was made: nobody knows.
LOOK_BACK = 50
UNFINISHED = [*NOT_FINISHED_STATUSES, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def find_data_version(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    metadata: Mapping[str, Any],
    *,
    wrote_nothing: bool = False,
) -> dg.DataVersion:
    """Return the data version of what a step has made: that of before where nothing has changed.

    Nothing has, when the table looks as it did, and the tool says so; where the metadata has a hash
    of the rows, that decides instead of the tool. In doubt the version is a new one: when a run
    that failed may have written something, or the run is for several partitions.

    Args:
        context: The step's.
        key: The asset.
        metadata: Of its materialization.
        wrote_nothing: Whether the tool says that it has changed no row.
    """
    new = _new_version(context)
    content = metadata.get(CONTENT_HASH)
    if context.retry_number or not (wrote_nothing or content):
        return new
    before = _last_made(context, key)
    made = before.asset_materialization if before else None
    if before is None or made is None:
        return new
    version = given_version(made.tags or {})
    if version is None or not _looks_the_same(made.metadata, metadata):
        return new
    if _may_have_changed_since(context, key, before):
        return new
    return dg.DataVersion(version)


def kept_data_version(context: dg.AssetExecutionContext, key: dg.AssetKey) -> dg.DataVersion:
    """Return the data version of an asset that a step reports again without making it."""
    before = _last_made(context, key)
    made = before.asset_materialization if before else None
    version = given_version(made.tags or {}) if made else None
    return dg.DataVersion(version) if version else _new_version(context)


def add_content_hash(
    context: dg.AssetExecutionContext,
    meta: DagsterMeta,
    metadata: dict[str, Any],
    reader: TableReader,
    relation: Relation,
    *,
    columns: Collection[str],
    ignored: Collection[str] = (),
) -> None:
    """Add a hash of all rows to the metadata of an asset whose YAML asks for it.

    Args:
        context: The step's.
        meta: The asset's block.
        metadata: Receives the hash.
        reader: Looks at tables.
        relation: The table.
        columns: Its columns, as the warehouse calls them; none where they cannot be read.
        ignored: Columns that differ in each load, whatever the rows.
    """
    if meta.data_version is None or not columns:
        return
    told = [column for column in columns if column.upper() not in ignored]
    try:
        metadata[CONTENT_HASH] = reader.content_hash(relation, told)
    except QueryFailedError as error:
        context.log.warning("%s counts as changed: no hash of its rows: %s", relation, error)


def _new_version(context: dg.AssetExecutionContext) -> dg.DataVersion:
    attempt = f"-{context.retry_number}" if context.retry_number else ""
    return dg.DataVersion(f"{context.run.run_id}{attempt}")


def _last_made(context: dg.AssetExecutionContext, key: dg.AssetKey) -> dg.EventLogRecord | None:
    """Return the last materialization of an asset, or of the run's partition."""
    partitions = None
    if context.assets_def.partitions_def is not None:
        partitions = list(context.partition_keys)
        if len(partitions) != 1:  # they share one version
            return None
    asked = dg.AssetRecordsFilter(asset_key=key, asset_partitions=partitions)
    records = context.instance.fetch_materializations(asked, limit=1).records
    return records[0] if records else None


def _looks_the_same(
    before: Mapping[str, dg.MetadataValue[Any]], metadata: Mapping[str, Any]
) -> bool:
    """Tell whether a table has the columns, and as far as known the rows, that it had.

    The table of another target is another one.
    """
    columns = _columns(before.get(COLUMN_SCHEMA))
    if columns is None or columns != _columns(metadata.get(COLUMN_SCHEMA)):
        return False
    known = {name: value.value for name, value in before.items()}
    if known.get(TABLE_NAME) != metadata.get(TABLE_NAME):
        return False
    if CONTENT_HASH in metadata:
        return bool(known.get(CONTENT_HASH) == metadata[CONTENT_HASH])
    rows, now = known.get(ROW_COUNT), metadata.get(ROW_COUNT)
    return rows is None or now is None or rows == now


def _columns(schema: Any) -> list[tuple[str, str]] | None:
    found = schema.value if isinstance(schema, dg.TableSchemaMetadataValue) else schema
    if not isinstance(found, dg.TableSchema):
        return None
    return [(column.name, column.type) for column in found.columns]


def _may_have_changed_since(
    context: dg.AssetExecutionContext, key: dg.AssetKey, before: dg.EventLogRecord
) -> bool:
    """Tell whether a run that has not ended well may have written to an asset since it was made.

    What it wrote the tool does not write again, and nobody has told what reads the asset.
    """
    instance = context.instance
    planned = planned_by(instance, key, LOOK_BACK)
    if len(planned) == LOOK_BACK and planned[-1][0] > before.storage_id:
        return True
    others = {run_id for _, run_id in planned} - {context.run.run_id, before.run_id}
    if others:
        asked = dg.RunsFilter(run_ids=sorted(others), statuses=UNFINISHED)
        for run in instance.get_run_records(asked):
            if run.end_time is None or run.end_time >= before.timestamp:
                return True
    return _was_tried_again(instance, before)


def _was_tried_again(instance: dg.DagsterInstance, before: dg.EventLogRecord) -> bool:
    """Tell whether the step that made an asset was tried again, and failed in the end."""
    run = instance.get_run_by_id(before.run_id) if before.run_id else None
    step = before.event_log_entry.step_key
    if run is None or step is None or run.status is dg.DagsterRunStatus.SUCCESS:
        return False
    stats = instance.get_run_step_stats(run.run_id, [step])
    return any((each.attempts or 0) > 1 for each in stats)

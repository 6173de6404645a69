"""What the materializations of an asset have recorded of its table, run by run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg

from factories.core.execution.table_reader import COLUMN_SCHEMA, ROW_COUNT

PAGE = 20
MOST_RECORDS = 1000  # a run over many partitions has one for each


@dataclass(frozen=True)
class LoadHistory:
    """The loads before the one that is looked at.

    Attributes:
        instance: Dagster's.
        key: The asset.
        before: The time before which they were recorded; without it, up to now.
        except_runs: The runs that do not count, for they are what is looked at.
    """

    instance: dg.DagsterInstance
    key: dg.AssetKey
    before: float | None = None
    except_runs: frozenset[str] = frozenset()

    def columns(self) -> dict[str, str] | None:
        """Return the columns' types by name as the last load recorded them, None without one."""
        for _, materialization in self._records():
            value = materialization.metadata.get(COLUMN_SCHEMA)
            if isinstance(value, dg.TableSchemaMetadataValue):
                return {column.name: column.type for column in value.schema.columns}
        return None

    def row_counts(self, runs: int) -> list[int]:
        """Return the rows of the table after each of the last runs that recorded them."""
        counts: dict[str, int] = {}
        for run, materialization in self._records():
            value = materialization.metadata.get(ROW_COUNT)
            if isinstance(value, dg.IntMetadataValue) and value.value is not None:
                counts.setdefault(run, value.value)
            if len(counts) == runs:
                break
        return list(counts.values())

    def _records(self) -> Iterator[tuple[str, dg.AssetMaterialization]]:
        """Yield the materializations with their runs, the latest first.

        One that belongs to no run counts as a run of its own.
        """
        cursor: str | None = None
        looked_at: dg.AssetKey | dg.AssetRecordsFilter = self.key
        if self.before is not None:
            looked_at = dg.AssetRecordsFilter(asset_key=self.key, before_timestamp=self.before)
        for _ in range(MOST_RECORDS // PAGE):
            page = self.instance.fetch_materializations(looked_at, limit=PAGE, cursor=cursor)
            for record in page.records:
                materialization = record.asset_materialization
                if materialization is not None and record.run_id not in self.except_runs:
                    yield record.run_id or str(record.storage_id), materialization
            if not page.has_more:
                return
            cursor = page.cursor


def history_of_step(
    context: dg.AssetExecutionContext, key: dg.AssetKey, loaded_at: float | None
) -> LoadHistory:
    """Return the loads before the one that a step's checks look at.

    A check that runs without its asset looks at what the last run has loaded, as that run did.

    Args:
        context: Dagster's.
        key: The asset.
        loaded_at: When the load was recorded, where the caller knows.
    """
    runs = {context.run.run_id}
    if key not in context.selected_asset_keys and loaded_at is None:
        last = context.instance.get_latest_materialization_event(key)
        if last is not None:
            runs.add(last.run_id)
            loaded_at = last.timestamp
    return LoadHistory(context.instance, key, loaded_at, frozenset(runs))

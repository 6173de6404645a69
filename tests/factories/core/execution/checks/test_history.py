"""What earlier loads have recorded of a table."""

from __future__ import annotations

from typing import Any

import dagster as dg

from factories.core.execution.checks.history import PAGE, LoadHistory

KEY = dg.AssetKey(["shop", "raw", "orders"])


def record(instance: dg.DagsterInstance, **metadata: Any) -> None:
    described = {f"dagster/{name}": value for name, value in metadata.items()}
    instance.report_runless_asset_event(dg.AssetMaterialization(KEY, metadata=described))


def table(**columns: str) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(*column) for column in columns.items()])


def test_previous_columns_are_those_of_the_last_materialization_that_recorded_some() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert LoadHistory(instance, KEY).columns() is None
        record(instance, row_count=1)
        assert LoadHistory(instance, KEY).columns() is None
        record(instance, column_schema=table(a="INT"))
        record(instance, column_schema=table(a="INT", b="TEXT"))
        assert LoadHistory(instance, KEY).columns() == {"a": "INT", "b": "TEXT"}
        # Of a load that is recorded already, those before it count.
        last = instance.get_latest_materialization_event(KEY)
        assert last
        assert LoadHistory(instance, KEY, before=last.timestamp).columns() == {"a": "INT"}
        record(instance, row_count=2)  # its table could not be read
        assert LoadHistory(instance, KEY).columns() == {"a": "INT", "b": "TEXT"}


def test_a_run_over_many_partitions_counts_as_one_run() -> None:
    @dg.asset(key=KEY, partitions_def=dg.StaticPartitionsDefinition(["a", "b", "c"]))
    def orders() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"dagster/row_count": next(counts)})

    counts = iter((10, 20, 30))

    with dg.DagsterInstance.ephemeral() as instance:
        runs = [
            dg.materialize(
                [orders],
                instance=instance,
                tags={
                    "dagster/asset_partition_range_start": "a",
                    "dagster/asset_partition_range_end": last,
                },
            ).run_id
            for last in "cbc"
        ]
        history = LoadHistory(instance, KEY)
        assert history.row_counts(2) == [30, 20]
        assert history.row_counts(9) == [30, 20, 10]
        without_last = LoadHistory(instance, KEY, except_runs=frozenset(runs[2:]))
        assert without_last.row_counts(9) == [20, 10]


def test_runs_are_found_behind_many_records() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        record(instance, row_count=7)
        for _ in range(PAGE):
            record(instance)
        assert LoadHistory(instance, KEY).row_counts(3) == [7]

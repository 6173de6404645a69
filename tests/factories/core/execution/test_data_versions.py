"""When a step's asset has the data version of before, and when a new one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.dagster_run import DagsterRunStatus

from factories.core.execution.data_versions import find_data_version, kept_data_version
from tests.factories.data_versions import data_versions

KEY = dg.AssetKey("a")
DAYS = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-05")
COLUMNS = {"ID": "NUMBER"}


@dataclass
class Loads:
    """An asset whose loads a test describes.

    Attributes:
        instance: Dagster's.
        partitions: Its partitions.
        failing: What keeps a load from its end, one for each try to come.
    """

    instance: dg.DagsterInstance
    partitions: dg.PartitionsDefinition[str] | None = None
    failing: list[str] = field(default_factory=list)

    def run(
        self,
        rows: int = 0,
        *,
        count: int | None = 3,
        columns: dict[str, str] = COLUMNS,
        table: str = "RAW.SHOP.A",
        content: str | None = None,
        given: bool = True,
        partition: str | None = None,
        tags: dict[str, str] | None = None,
    ) -> dg.ExecuteInProcessResult:
        """Load some rows into a table that then has so many, and such columns."""
        schema = dg.TableSchema([dg.TableColumn(*column) for column in columns.items()])
        metadata: dict[str, Any] = {"dagster/column_schema": schema, "dagster/table_name": table}
        metadata |= {} if count is None else {"dagster/row_count": count}
        metadata |= {} if content is None else {"content_hash": content}

        @dg.multi_asset(
            name="a",
            specs=[dg.AssetSpec(KEY, partitions_def=self.partitions)],
            partitions_def=self.partitions,
            backfill_policy=dg.BackfillPolicy.single_run() if self.partitions else None,
            retry_policy=dg.RetryPolicy(max_retries=1),
        )
        def load(context) -> Iterator[Any]:
            how = self.failing.pop() if self.failing else ""
            if how:
                raise dg.Failure(how, allow_retries=how == "once")
            version = find_data_version(context, KEY, metadata, wrote_nothing=rows == 0)
            yield dg.MaterializeResult(
                asset_key=KEY, metadata=metadata, data_version=version if given else None
            )

        return dg.materialize(
            [load],
            instance=self.instance,
            partition_key=partition,
            tags=tags,
            raise_on_error=False,
        )

    def version(self, *args: Any, **kwargs: Any) -> str | None:
        """Load, and return the version."""
        result = self.run(*args, **kwargs)
        assert result.success
        return data_versions(result)["a"]


@pytest.fixture
def loads() -> Iterator[Loads]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Loads(instance)


def test_a_load_of_no_rows_keeps_the_version_of_the_run_that_changed_the_data(
    loads: Loads,
) -> None:
    first = loads.run()
    assert data_versions(first) == {"a": first.run_id}
    assert loads.version() == first.run_id
    assert loads.version() == first.run_id
    changed = loads.run(2, count=5)
    assert data_versions(changed) == {"a": changed.run_id}
    assert loads.version(count=5) == changed.run_id


@pytest.mark.parametrize(
    "table", [{"count": 2}, {"columns": {"ID": "VARCHAR"}}, {"columns": {**COLUMNS, "A": "DATE"}}]
)
def test_a_table_that_looks_otherwise_has_changed(loads: Loads, table: dict[str, Any]) -> None:
    first = loads.version()
    assert loads.version(**table) != first


def test_the_table_of_another_target_has_other_data(loads: Loads) -> None:
    first = loads.version(content="17")
    assert loads.version(content="17", table="DEV_RAW.SHOP.A") != first


def test_a_column_that_has_another_name_is_a_change_though_the_hash_is_the_same(
    loads: Loads,
) -> None:
    first = loads.version(content="17")
    assert loads.version(content="17", columns={"KEY": "NUMBER"}) != first


def test_rows_that_nobody_has_counted_do_not_matter(loads: Loads) -> None:
    first = loads.version(count=None)
    assert loads.version(count=None) == first


def test_a_version_of_dagsters_own_is_not_kept(loads: Loads) -> None:
    loads.run(given=False)
    second = loads.run()
    assert data_versions(second) == {"a": second.run_id}


def test_a_run_that_failed_in_between_may_have_written(loads: Loads) -> None:
    first = loads.version()
    loads.failing = ["for good"]
    assert not loads.run(4).success
    second = loads.version()
    assert second != first
    assert loads.version() == second


def test_a_run_that_is_still_to_make_it_may_have_written(loads: Loads) -> None:
    first = loads.version()

    @dg.asset(name="a")
    def other() -> None: ...

    job = dg.Definitions([other]).resolve_implicit_global_asset_job_def()
    loads.instance.create_run_for_job(job, status=DagsterRunStatus.STARTED)
    assert loads.version() != first


def test_a_step_that_is_tried_again_may_have_written_before(loads: Loads) -> None:
    first = loads.version()
    loads.failing = ["once"]
    again = loads.run()
    assert data_versions(again) == {"a": f"{again.run_id}-1"}
    assert data_versions(again) != {"a": first}


def test_the_version_is_that_of_the_partition(loads: Loads) -> None:
    loads.partitions = DAYS
    first, second = (loads.version(1, partition=f"2024-01-0{day}") for day in (1, 2))
    assert loads.version(partition="2024-01-01") == first != second
    assert loads.version(partition="2024-01-02") == second
    third = loads.run(partition="2024-01-03")
    assert data_versions(third) == {"a": third.run_id}


def test_a_run_of_several_partitions_has_a_version_of_its_own(loads: Loads) -> None:
    loads.partitions = DAYS
    loads.run(partition="2024-01-01")
    both = {
        "dagster/asset_partition_range_start": "2024-01-01",
        "dagster/asset_partition_range_end": "2024-01-02",
    }
    result = loads.run(tags=both)
    assert data_versions(result) == {"a": result.run_id}
    assert loads.version(partition="2024-01-02") == result.run_id


def test_a_hash_of_the_rows_tells_whatever_the_tool_says(loads: Loads) -> None:
    first = loads.version(3, content="17")
    assert loads.version(3, content="17") == first
    second = loads.version(0, content="18")
    assert second != first
    third = loads.version(3, content="17")
    assert third not in {first, second}, "what was read in between may be of the other rows"


def test_what_is_reported_again_keeps_its_version(loads: Loads) -> None:
    first = loads.version()

    @dg.multi_asset(specs=[dg.AssetSpec(KEY)])
    def again(context) -> Any:
        return dg.MaterializeResult(asset_key=KEY, data_version=kept_data_version(context, KEY))

    assert data_versions(dg.materialize([again], instance=loads.instance)) == {"a": first}

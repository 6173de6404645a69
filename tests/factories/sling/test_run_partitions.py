"""Partitions reach Sling as half-open windows."""

from __future__ import annotations

import dagster as dg
import pytest

from tests.factories.sling.conftest import Project, Source

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("sling")]

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def events(kind: str, start: str) -> str:
    return f"""
        source: shop
        target: SNOWFLAKE
        streams:
          {{s}}.events:
            mode: incremental
            object: "{{s}}.events"
            primary_key: [id]
            update_key: happened
            meta: {{dagster: {{partition: {{type: {kind}, start: "{start}"}}}}}}
    """


@pytest.fixture
def bounds(source: Source) -> Source:
    """Rows exactly on the bounds of hours, days, weeks and months, and just before them."""
    source.execute(
        "create table {s}.events (id int primary key, happened timestamp)",
        """insert into {s}.events values
           (1, '2023-12-31 23:59:59'), (2, '2024-01-01 00:00:00'), (3, '2024-01-01 00:59:59.999'),
           (4, '2024-01-01 01:00:00'), (5, '2024-01-01 23:59:59.999'), (6, '2024-01-02 00:00:00'),
           (7, '2024-01-06 23:59:59'), (8, '2024-01-07 00:00:00'), (9, '2024-01-13 23:59:59'),
           (10, '2024-01-14 00:00:00'), (11, '2024-01-31 23:59:59'), (12, '2024-02-01 00:00:00')""",
    )
    return source


@pytest.mark.parametrize(
    ("kind", "start", "key", "ids"),
    [
        ("hourly", "2024-01-01", "2024-01-01-00:00", [2, 3]),
        ("daily", "2024-01-01", "2024-01-01", [2, 3, 4, 5]),
        ("weekly", "2024-01-07", "2024-01-07", [8, 9]),
        ("monthly", "2024-01-01", "2024-01-01", [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ],
)
@pytest.mark.usefixtures("bounds")
def test_partition_holds_its_start_and_not_its_end(
    project: Project, kind: str, start: str, key: str, ids: list[int]
) -> None:
    project.replication(events(kind, start))

    assert project.run(partition_key=key).success

    assert project.rows("select id from {s}.events order by id") == [(i,) for i in ids]


@pytest.mark.usefixtures("bounds")
def test_range_is_one_window_and_one_process(project: Project) -> None:
    project.replication(events("daily", "2024-01-01"))

    result = project.run(tags={RANGE_START: "2024-01-01", RANGE_END: "2024-01-06"})

    assert result.success
    assert project.rows("select id from {s}.events order by id") == [(i,) for i in range(2, 8)]
    partitions = {e.partition for e in result.get_asset_materialization_events()}
    assert partitions == {f"2024-01-0{day}" for day in range(1, 7)}
    assert project.messages().count("reading from source database") == 1


def test_earlier_partition_loaded_later_and_again_repeats_no_row(
    project: Project, bounds: Source
) -> None:
    project.replication(events("daily", "2024-01-01"))
    project.run(partition_key="2024-01-02")
    project.run(partition_key="2024-01-01")
    bounds.execute("update {s}.events set happened = '2024-01-01 12:00' where id = 4")

    assert project.run(partition_key="2024-01-01").success

    rows = project.rows("select id, hour(happened) from {s}.events order by id")
    assert [row[0] for row in rows] == [2, 3, 4, 5, 6]
    assert rows[2] == (4, 12)


@pytest.mark.usefixtures("bounds")
def test_run_that_names_no_partition_refuses(project: Project) -> None:
    project.replication(events("daily", "2024-01-01"))

    result = project.run()

    assert not result.success
    assert "the run names no partition" in project.log()
    assert not project.has_table("events")


@pytest.mark.usefixtures("bounds")
def test_full_refresh_of_a_partition_refuses(project: Project) -> None:
    project.replication(events("daily", "2024-01-01"))
    [name] = [a.op.name for a in project.assets() if isinstance(a, dg.AssetsDefinition)]

    result = project.run(
        partition_key="2024-01-01",
        run_config={"ops": {name: {"config": {"full_refresh": True}}}},
    )

    assert not result.success
    failure = result.failure_data_for_node(name)
    assert failure is not None
    assert "would replace the other partitions' rows" in failure.error.message
    assert not project.has_table("events")


@pytest.mark.usefixtures("bounds")
def test_stream_with_a_condition_of_its_own_keeps_it(project: Project) -> None:
    own = 'where: "id <> 3 or id = 5"\n            update_key'
    project.replication(events("daily", "2024-01-01").replace("update_key", own))

    assert project.run(partition_key="2024-01-01").success

    assert project.rows("select id from {s}.events order by id") == [(2,), (4,), (5,)]


@pytest.mark.usefixtures("bounds")
def test_query_stream_is_windowed(project: Project) -> None:
    project.replication("""
        source: shop
        target: SNOWFLAKE
        streams:
          odd_events:
            mode: incremental
            object: "{s}.odd_events"
            sql: select * from {s}.events where id % 2 = 1;
            primary_key: [id]
            meta: {dagster: {partition: {type: daily, start: "2024-01-01", column: happened}}}
    """)

    assert project.run(partition_key="2024-01-01").success

    assert project.rows("select id from {s}.odd_events order by id") == [(3,), (5,)]


@pytest.mark.usefixtures("bounds")
def test_static_partition_limits_by_its_key(project: Project, source: Source) -> None:
    source.execute(
        "create table {s}.stores (id int primary key, region text)",
        "insert into {s}.stores values (1, 'north'), (2, 'south'), (3, 'it''s west')",
    )
    project.replication("""
        source: shop
        target: SNOWFLAKE
        streams:
          {s}.stores:
            mode: incremental
            object: "{s}.stores"
            primary_key: [id]
            meta:
              dagster: {partition: {type: static, keys: [north, south, it's west], column: region}}
    """)

    assert project.run(partition_key="it's west").success

    assert project.rows("select id from {s}.stores") == [(3,)]

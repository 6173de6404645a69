"""Windows of time: partitions, single and as a range, backfills, and what a person may choose."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from factories.dbt.prepare import target_folder
from factories.location_defaults import default_resources
from tests.factories.dbt.conftest import Project, materialized

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("dbt windows")]

NEW_YORK = ZoneInfo("America/New_York")
INCREMENTAL = """
    {{{{ config(
        materialized='incremental', incremental_strategy='delete+insert', unique_key='id',
        meta={{'dagster': {meta}}},
    ) }}}}
    select id, at, '{{{{ var("window_start", "") }}}} {{{{ var("window_end", "") }}}}' as span
    from {{{{ ref('orders') }}}}
    {{% if var('window_start', none) %}}
    where at >= '{{{{ var("window_start") }}}}' and at < '{{{{ var("window_end") }}}}'
    {{% endif %}}
"""
BY_TYPE = """
    {{{{ config(
        materialized='incremental', incremental_strategy='delete+insert', unique_key='id',
        meta={{'dagster': {{'partition': {{
            'type': '{every}', 'start': '{start}', 'timezone': 'America/New_York'}}}}}},
    ) }}}}
    select id from {{{{ source('clock', 'moments') }}}}
    where {kind} >= '{{{{ var("window_start") }}}}' and {kind} < '{{{{ var("window_end") }}}}'
"""
FILES = {
    "dbt_project.yml": """
        name: shop
        version: "1.0"
        profile: shop
        models:
          +post-hook: "insert into RAW.{s}.built select '{{ this.identifier }}'"
    """,
    "models/sources.yml": """
        sources: [{name: app, database: RAW, schema: "{s}", tables: [{name: orders}]}]
    """,
    "models/orders.sql": "select * from {{ source('app', 'orders') }}",
    "models/monthly.sql": INCREMENTAL.format(
        meta="{'partition': {'type': 'monthly', 'start': '2024-01-01'}}"
    ),
    "models/hourly.sql": INCREMENTAL.format(
        meta="{'partition': {'type': 'hourly', 'start': '2024-01-01', 'timezone': 'Europe/Berlin'}}"
    ),
    "models/late.sql": INCREMENTAL.format(
        meta="{'backfill': {'type': 'monthly', 'start': '2024-01-01'},"
        " 'checks': {'rows': {'min': 5, 'change': {'min': '100%', 'max': '100%'}}}}"
    ),
    "models/late.yml": """
        models: [{name: late, columns: [{name: id, data_tests: [unique]}]}]
    """,
    "models/sources_of_moments.yml": """
        sources: [{name: clock, database: RAW, schema: "{s}", tables: [{name: moments}]}]
    """,
    **{
        f"models/{kind}_hours.sql": BY_TYPE.format(kind=kind, every="hourly", start="2024-11-03")
        for kind in ("tz", "ltz", "ntz")
    },
    **{
        f"models/{kind}_days.sql": BY_TYPE.format(kind=kind, every="daily", start="2024-03-01")
        for kind in ("tz", "ltz", "ntz", "d")
    },
    "models/report.sql": "select count(*) as n from {{ ref('monthly') }}",
    "models/from_state.sql": "select * from {{ ref('orders') }} cross join {{ ref('elsewhere') }}",
    "models/elsewhere.sql": "select 'ours' as place",
}
LATE = dg.AssetSelection.assets("late").without_checks()
ORDERS = [
    (1, "2024-01-31 23:59:59"),
    (2, "2024-02-01 00:00:00"),
    (3, "2024-02-29 23:59:59"),
    (4, "2024-03-01 00:00:00"),
    (5, "2024-03-31 23:59:59"),
    (6, "2024-04-01 00:00:00"),
]


@pytest.fixture(scope="module")
def orders(shared_project: Project) -> Project:
    """A project whose orders lie on the bounds of months."""
    values = ", ".join(str(order) for order in ORDERS)
    shared_project.rows(
        "create table RAW.{s}.orders as"
        f" select column1 as id, column2::timestamp_ntz as at from values {values}"
    )
    shared_project.rows("create table RAW.{s}.built (model varchar)")
    for name, text in FILES.items():
        shared_project.write(name, text)
    shared_project.assets()
    return shared_project


def op_of(project: Project, name: str) -> str:
    """The op that builds a model."""
    [op] = [
        asset.op.name
        for asset in project.assets()
        if isinstance(asset, dg.AssetsDefinition) and dg.AssetKey(name) in asset.keys
    ]
    return op


def backfill_job(project: Project) -> dg.JobDefinition:
    build, assets = project.read()
    resources = default_resources(build.names)
    definitions = dg.Definitions(assets=assets, jobs=build.jobs, resources=resources)
    return definitions.resolve_job_def("backfill_late")


def test_partitioned_model_runs_in_order_with_those_around_it(orders: Project) -> None:
    orders.rows("delete from RAW.{s}.built")
    result = orders.run("key:orders or key:monthly or key:report", partition_key="2024-02-01")

    assert result.success
    # Dagster makes two steps of the op whose models stand before and after the partitioned one.
    assert list(materialized(result)) == ["orders", "monthly", "report"]
    assert len([event for event in result.all_events if event.is_step_start]) == 3
    built = orders.rows("select model, count(*) from RAW.{s}.built group by 1")
    assert set(built) == {("orders", 1), ("monthly", 1), ("report", 1)}
    span = "2024-02-01 00:00:00+00:00 2024-03-01 00:00:00+00:00"
    found = orders.rows("select id, span from {s}.monthly order by id")
    assert found == [(2, span), (3, span)]


def test_range_of_partitions_is_one_window(orders: Project) -> None:
    orders.rows("delete from RAW.{s}.built")
    result = orders.run(
        "key:monthly",
        tags={
            "dagster/asset_partition_range_start": "2024-02-01",
            "dagster/asset_partition_range_end": "2024-03-01",
        },
    )

    assert result.success
    assert orders.rows("select model from RAW.{s}.built") == [("monthly",)]
    span = "2024-02-01 00:00:00+00:00 2024-04-01 00:00:00+00:00"
    found = orders.rows("select id, span from {s}.monthly order by id")
    assert found == [(2, span), (3, span), (4, span), (5, span)]


def test_hour_is_in_the_partitions_own_zone(orders: Project) -> None:
    assert orders.run("key:hourly", partition_key="2024-02-01-00:00").success

    found = orders.rows("select id, span from {s}.hourly")
    assert found == [(2, "2024-02-01 00:00:00+01:00 2024-02-01 01:00:00+01:00")]


def test_rows_are_those_of_the_partition_whatever_the_type_of_their_time(orders: Project) -> None:
    # Every half an hour through both nights in which New York changes its clocks.
    for night, rows in (("2024-11-03 03:00", 20), ("2024-03-10 03:00", 60)):
        orders.rows(
            "create table if not exists RAW.{s}.moments"
            " (id varchar, tz timestamp_tz, ltz timestamp_ltz, ntz timestamp_ntz, d date)"
        )
        moments = [
            datetime.fromisoformat(f"{night}+00:00") + timedelta(minutes=30 * i)
            for i in range(rows)
        ]
        walls = [moment.astimezone(NEW_YORK).replace(tzinfo=None) for moment in moments]
        values = ", ".join(
            f"('{m:%m-%dT%H:%M}', '{m}'::timestamp_tz, '{m}'::timestamp_ltz, '{w}'::timestamp_ntz,"
            f" '{w.date()}'::date)"
            for m, w in zip(moments, walls, strict=True)
        )
        orders.rows(f"insert into RAW.{{s}}.moments values {values}")

    def built(names: list[str], key: str) -> dict[str, list[str]]:
        made = orders.run(" or ".join(f"key:{name}" for name in names), partition_key=key)
        assert made.success, orders.failure()
        return {
            name: [str(row[0]) for row in orders.rows(f"select id from {{s}}.{name} order by 1")]
            for name in names
        }

    def ids(first: str, last: str) -> list[str]:
        sql = f"select id from RAW.{{s}}.moments where id >= '{first}' and id < '{last}' order by 1"
        return [str(row[0]) for row in orders.rows(sql)]

    hours = ["tz_hours", "ltz_hours", "ntz_hours"]
    first, both = ids("11-03T05", "11-03T06"), ids("11-03T05", "11-03T07")
    assert len(first) == 2
    # What a time of day without zone does not tell apart is in both.
    assert built(hours, "2024-11-03-01:00") == dict(zip(hours, (first, first, both), strict=True))
    assert built(hours, "2024-11-03-01:00-0500") == dict.fromkeys(hours, both)
    days = ["tz_days", "ltz_days", "ntz_days", "d_days"]
    assert built(days, "2024-03-10") == dict.fromkeys(days, ids("03-10T05", "03-11T04"))


def test_partition_of_the_backfill_job_builds_its_month_alone(orders: Project) -> None:
    window: dict[str, object] = {"window_start": "2024-02-01", "window_end": "2024-03-01T00:00:00"}
    assert orders.run(LATE, config=window).success
    assert orders.rows("select id from {s}.late order by id") == [(2,), (3,)]
    orders.rows("update {s}.late set span = 'as it was'")
    instance = orders.instance

    result = backfill_job(orders).execute_in_process(
        partition_key="2024-03-01", instance=instance, raise_on_error=False
    )

    # It is told as that of a run of the asset, of which its check wants more rows.
    assert not result.success
    [failure] = [event for event in result.all_events if event.is_step_failure]
    assert "checks failed: row_count" in str(failure.step_failure_data.error)
    logs = instance.all_logs(result.run_id)
    events = [log.dagster_event for log in logs if log.dagster_event]
    evaluations = [
        event.asset_check_evaluation_data
        for event in events
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ]
    assert {evaluation.check_name: evaluation.passed for evaluation in evaluations} == {
        "unique_late_id": True,
        "row_count": False,
        "row_count_change": True,
    }
    [reported] = [e.materialization.metadata for e in events if e.is_step_materialization]
    assert reported["window"].value == "2024-03-01 00:00:00+00:00 to 2024-04-01 00:00:00+00:00"
    assert (reported["rows_loaded"].value, reported["dagster/row_count"].value) == (2, 4)
    span = "2024-03-01 00:00:00+00:00 2024-04-01 00:00:00+00:00"
    found = orders.rows("select id, span from {s}.late order by id")
    assert found == [(2, "as it was"), (3, "as it was"), (4, span), (5, span)]


def test_backfill_of_a_range_is_a_run_of_each_month(orders: Project) -> None:
    job = backfill_job(orders)
    assert job.partitioned_config
    configs = [
        job.partitioned_config.get_run_config_for_partition_key(key)
        for key in ("2024-01-01", "2024-02-01")
    ]
    january, february, march = (f"2024-0{month}-01 00:00:00+00:00" for month in (1, 2, 3))
    assert configs == [
        {"ops": {"backfill_late_window": {"config": {"window_start": a, "window_end": b}}}}
        for a, b in ((january, february), (february, march))
    ]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"window_start": "yesterday", "window_end": "today"}, "must both be timestamps like"),
        ({"window_start": "2024-03-01", "window_end": "2024-02-01"}, "must come after"),
        (
            {"window_start": "2024-02-01", "window_end": "2024-03-01", "threads": 0},
            "threads must be 1 or more, not 0",
        ),
    ],
)
def test_wrong_config_of_a_backfill_is_reported(
    orders: Project, config: dict[str, object], message: str
) -> None:
    result = backfill_job(orders).execute_in_process(
        run_config={"ops": {"backfill_late_window": {"config": config}}},
        instance=orders.instance,
        raise_on_error=False,
    )

    [failure] = [event for event in result.all_events if event.is_step_failure]
    assert message in str(failure.step_failure_data.error)
    assert not materialized(result)


def test_partitioned_model_without_a_partition_is_refused(orders: Project) -> None:
    orders.run("key:monthly")

    assert "launch it for a partition or a range of them" in orders.failure()


def test_full_refresh_of_a_partition_is_refused(orders: Project) -> None:
    op = op_of(orders, "monthly")
    orders.run("key:monthly", partition_key="2024-02-01", config={"full_refresh": True}, op=op)

    assert "full_refresh would replace the other partitions' rows" in orders.failure()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"window_start": "2024-02-01"}, "must both be timestamps like"),
        ({"window_start": "x", "window_end": "y"}, "must both be timestamps like"),
        ({"window_start": "2024-02-01", "window_end": "2024-02-01"}, "must come after"),
        (
            {"window_start": "2024-02-01T00:00:00Z", "window_end": "2024-02-02"},
            "one has an offset, one has none",
        ),
        (
            {"window_start": "2024-02-01", "window_end": "2024-02-02", "full_refresh": True},
            "full_refresh would replace",
        ),
    ],
)
def test_wrong_window_is_reported(orders: Project, config: dict[str, object], message: str) -> None:
    orders.run("key:late", config=config)

    assert message in orders.failure()


def test_full_refresh_builds_an_incremental_model_from_scratch(orders: Project) -> None:
    orders.rows("create or replace table {s}.late as select 99 as id, null::timestamp as at")

    assert orders.run(LATE, config={"full_refresh": True}).success

    assert orders.rows("select id from {s}.late order by id") == [(i,) for i, _ in ORDERS]


def test_deferred_run_reads_the_state_where_ours_is_missing(orders: Project) -> None:
    # Of the two that it reads, `elsewhere` is there in ours, `orders` is not.
    state = orders.root / "state"
    state.mkdir()
    manifest = (target_folder(orders.folder) / "manifest.json").read_text()
    theirs = f"{orders.schema}_STATE"
    (state / "manifest.json").write_text(manifest.replace(orders.schema, theirs))
    orders.rows(f"create schema {theirs}")
    orders.rows(f"create table {theirs}.orders as select 7 as id")
    orders.rows(f"create table {theirs}.elsewhere as select 'theirs' as place")
    orders.rows("drop view if exists {s}.orders")
    orders.rows("create or replace view {s}.elsewhere as select 'ours' as place")
    config: dict[str, Any] = {"defer": True, "state": "state"}

    assert orders.run("key:from_state", config=config).success
    assert orders.rows("select * from {s}.from_state") == [(7, "ours")]

    assert orders.run("key:from_state", config={**config, "favor_state": True}).success
    assert orders.rows("select * from {s}.from_state") == [(7, "theirs")]

    orders.rows(f"drop schema {theirs} cascade")

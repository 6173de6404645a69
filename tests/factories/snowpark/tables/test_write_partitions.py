"""A run of some partitions reads and replaces these alone."""

from __future__ import annotations

from datetime import date, datetime

import dagster as dg
import pytest

from tests.factories.snowpark.conftest import AreaProject

pytestmark = pytest.mark.clients

DAILY = 'partition: {type: daily, start: "2013-01-01", column: day}'
DAYS = "id number, day date"


def test_a_window_is_replaced_and_a_row_on_a_bound_is_in_one_partition(
    project: AreaProject,
) -> None:
    rows = ["1, '2013-01-01'", "2, '2013-01-02'", "3, '2013-01-03'"]
    project.seed(*rows, columns=DAYS)
    project.table("keys: [id]", DAILY)
    for day in ("2013-01-01", "2013-01-02", "2013-01-03"):
        assert project.built(partition_key=day)["t"]["rows_loaded"] == 1
    project.seed("1, '2013-01-01'", "4, '2013-01-02'", "5, '2013-01-03'", columns=DAYS)

    found = project.built(partition_key="2013-01-02")["t"]

    assert project.rows() == [
        (1, date(2013, 1, 1)),
        (3, date(2013, 1, 3)),
        (4, date(2013, 1, 2)),
    ]
    assert (found["rows_deleted"], found["rows_inserted"]) == (1, 1)


def test_a_range_of_partitions_is_one_window(project: AreaProject) -> None:
    days = ["'2013-01-01 23:59:59.999'", "'2013-01-02'", "'2013-01-03 12:00'", "'2013-01-04'"]
    project.seed(*(f"{n}, {day}" for n, day in enumerate(days)), columns="id int, day timestamp")
    project.table("", DAILY)
    tags = {
        "dagster/asset_partition_range_start": "2013-01-02",
        "dagster/asset_partition_range_end": "2013-01-03",
    }

    assert project.built(tags=tags)["t"]["rows_loaded"] == 2
    assert project.rows() == [(1, datetime(2013, 1, 2)), (2, datetime(2013, 1, 3, 12))]  # noqa: DTZ001 - NTZ


def test_times_with_a_zone_are_compared_by_the_instant(project: AreaProject) -> None:
    times = ["'2013-01-02 04:59:59+00:00'", "'2013-01-02 00:00:00-05:00'"]
    project.seed(*(f"{n}, {t}" for n, t in enumerate(times)), columns="id int, day timestamp_tz")
    meta = DAILY.replace("daily", "daily, timezone: America/New_York")
    project.table("", meta)

    project.built(partition_key="2013-01-02")

    assert [row[0] for row in project.rows()] == [1]


def test_static_partitions_are_replaced_by_key(project: AreaProject) -> None:
    project.seed("1, 'a'", "2, 'b'")
    project.table("", "partition: {type: static, keys: [a, b], column: v}")
    project.built(partition_key="a")
    project.built(partition_key="b")
    project.built(partition_key="b")

    assert project.rows() == [(1, "a"), (2, "b")]


def test_a_key_that_moved_to_another_partition_is_refused(project: AreaProject) -> None:
    project.seed("1, '2013-01-01'", columns=DAYS)
    project.table("keys: id", DAILY)
    project.built(partition_key="2013-01-01")
    project.seed("1, '2013-01-02'", columns=DAYS)

    why = project.failed(partition_key="2013-01-02")

    assert "1 values of the keys (id) are in other partitions already" in why
    assert project.rows() == [(1, date(2013, 1, 1))]


def test_rows_outside_the_window_are_refused(project: AreaProject) -> None:
    project.seed("1, '2013-01-01'", "2, '2013-01-02'", columns=DAYS)
    project.table("", DAILY)
    (project.root / "snowpark" / "rows.py").write_text(
        "from snowflake.snowpark.functions import dateadd, col, lit\n"
        "def all_rows(session, inputs):\n"
        "    return inputs['rows'].with_column('day', dateadd('day', lit(1), col('day')))\n"
    )

    why = project.failed(partition_key="2013-01-01")

    assert "1 rows lie outside the partitions of this run" in why
    assert project.tables() == set()


def test_a_whole_input_lets_a_partition_look_back_in_time(project: AreaProject) -> None:
    project.seed("1, '2013-01-01'", "2, '2013-01-02'", "3, '2013-01-03'", columns=DAYS)
    project.write(f"""
        tables:
          - name: t
            sql: select day, lag(id) over (order by day) as before from {{rows}}
            inputs: {{rows: {{asset: seeds/{{a}}, whole: true}}}}
            output: {{table: "{{s}}.T", keys: day}}
            meta: {{dagster: {{{DAILY}}}}}
    """)

    project.built(partition_key="2013-01-02")
    project.built(partition_key="2013-01-03")

    assert project.rows() == [(date(2013, 1, 2), 1), (date(2013, 1, 3), 2)]


@pytest.mark.parametrize(
    ("columns", "row", "partition", "why"),
    [
        (
            "id int, v varchar",
            "1, 'a'",
            "2013-01-01",
            "none of the inputs rows has the column day",
        ),
        ("id int, day int", "1, 1", "2013-01-01", "holds neither dates nor times"),
        ("id int, day date", "1, '2013-01-01'", None, "the run names no partition"),
    ],
)
def test_a_window_that_cannot_be_read_loads_nothing(
    project: AreaProject, columns: str, row: str, partition: str | None, why: str
) -> None:
    project.seed(row, columns=columns)
    project.table("", DAILY)
    options = {"partition_key": partition} if partition else {}
    try:
        reported = project.failed(**options)
    except dg.DagsterInvariantViolationError:  # Dagster itself refuses a run without partition
        return
    assert why in reported
    assert project.tables() == set()

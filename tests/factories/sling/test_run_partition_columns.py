"""Partitions over columns of any name and type: each row is loaded by its own, or it is said."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import dagster as dg
import pytest

from tests.factories.sling.conftest import Project, Source, materialized

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("sling")]

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
# The hours in New York around the one that autumn repeats: from 23:00 to 03:00, five of them.
NIGHT = {RANGE_START: "2024-11-02-23:00", RANGE_END: "2024-11-03-02:00"}
HOURLY = (
    'partition: {type: hourly, start: "2024-11-02T23:00", end: "2024-11-03T03:00",'
    " timezone: America/New_York"
)
STREAMS = """
    source: shop
    target: SNOWFLAKE
    defaults: {mode: incremental, primary_key: [id], object: "{s}.{stream_table}"}
    streams:
      {s}.zoned: {update_key: at, meta: {dagster: {HOURLY}}}}
      {s}.wall: {update_key: WALL, meta: {dagster: {HOURLY}}}}
      {s}.capitals: {meta: {dagster: {HOURLY, column: happenedAt}}}}
      {s}.spaces: {meta: {dagster: {HOURLY, column: when it was}}}}
      {s}.reserved: {where: "id > 1 or id < 0", meta: {dagster: {HOURLY, column: Order}}}}
      {s}.quoted: {meta: {dagster: {HOURLY, column: '"happenedAt"'}}}}
      query:
        sql: 'select id, at as "At It" from {s}.zoned -- all'
        meta: {dagster: {HOURLY, column: at it}}}
      {s}.dates: {meta: {dagster: {HOURLY, column: on}}}}
      {s}.texts: {meta: {dagster: {HOURLY, column: at}}}}
      {s}.twice: {meta: {dagster: {HOURLY, column: AT}}}}
      {s}.typo: {update_key: happend, meta: {dagster: {HOURLY}}}}
      {s}.missing: {update_key: at, meta: {dagster: {HOURLY}}}}
""".replace("HOURLY}", HOURLY + "}").replace("HOURLY,", HOURLY + ",")


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    """The text with which the run's one step failed."""
    [event] = result.get_step_failure_events()
    error = event.step_failure_data.error
    assert error is not None
    return error.message


@pytest.fixture
def night(source: Source) -> Source:
    """Tables with a row for every 15 minutes of the night, from 03:00 to 07:45 UTC."""
    instants = "'2024-11-03 03:00+00'::timestamptz + n * interval '15 minutes'"
    walls = f"({instants}) at time zone 'America/New_York'"
    columns = {
        "zoned": ("at", "timestamptz", instants),
        "wall": ("wall", "timestamp", walls),
        "capitals": ('"happenedAt"', "timestamptz", instants),
        "spaces": ('"when it was"', "timestamp", walls),
        "reserved": ('"order"', "timestamptz", instants),
        "quoted": ('"happenedAt"', "timestamptz", instants),
        "dates": ('"on"', "date", walls),
        "texts": ("at", "text", walls),
        "twice": ('"At" int, at', "timestamptz", f"1, {instants}"),
        "typo": ("happened", "timestamptz", instants),
    }
    for table, (name, kind, value) in columns.items():
        source.execute(
            f"create table {{s}}.{table} (id int primary key, {name} {kind})",
            f"insert into {{s}}.{table} select n, {value} from generate_series(0, 19) n",
        )
    return source


@pytest.mark.usefixtures("night")
def test_rows_of_the_night_that_clocks_go_back_are_loaded_or_refused(project: Project) -> None:
    project.replication(STREAMS)

    result = project.run(tags=NIGHT)

    loaded = {name: metadata["rows_loaded"] for name, metadata in materialized(result).items()}
    # Each of five partitions of the range has its own event, of the same load.
    assert loaded == {
        "zoned": 20,
        "wall": 20,
        "capitals": 20,
        "spaces": 20,
        "reserved": 18,
        "quoted": 20,
        "query": 20,
    }
    message = failure_of(result)
    assert "5 of 12 streams failed; the others are loaded" in message
    for sentence in (
        "dates: the column 'on' holds dates: they cannot place a row in an hourly partition",
        "texts: the column 'at' holds neither dates nor times, but TEXT",
        "twice: the column 'AT' may be 'At' or 'at': write it as the source has it",
        "typo: there is no column 'happend', which would say which partition a row is in",
        "did you mean 'happened'? (the source has: id, happened)",
        "missing: the columns of the source cannot be learnt: did not find any columns",
    ):
        assert sentence in message
    assert "proc.go" not in message


@pytest.mark.usefixtures("night")
def test_an_hour_that_is_repeated_is_one_of_instants_and_both_of_wall_times(
    project: Project,
) -> None:
    head, _, _ = STREAMS.partition("{s}.capitals")
    project.replication(head)

    assert project.run(partition_key="2024-11-03-01:00").success

    assert project.rows("select min(id), max(id) from {s}.zoned") == [(8, 11)]
    assert project.rows("select min(id), max(id) from {s}.wall") == [(8, 15)]


def test_times_of_sqlite_are_compared_as_times_or_refused(project: Project, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "till.db") as database:
        for table in ("sales", "odd", "Sales 2"):
            database.execute(f'create table "{table}" (id integer primary key, "soldAt" datetime)')
            database.executemany(
                f'insert into "{table}" values (?, ?)',
                [
                    (1, "2024-06-30 23:59:59"),
                    (2, "2024-07-01"),
                    (3, "2024-07-01T10:00:00"),
                    (4, "2024-07-01 23:59:59.999"),
                    (5, "2024-07-02T01:30:00+02:00"),
                    (6, "2024-07-02"),
                    (7, None),
                ],
            )
        database.execute("insert into odd values (8, 'yesterday')")
    (project.root / "sling" / "connections.yaml").write_text(
        f"connections: {{shop: 'sqlite://{tmp_path}/till.db'}}\n"
    )
    daily = 'partition: {type: daily, start: "2024-07-01", column: SOLDAT}'
    project.replication(f"""
        source: shop
        target: SNOWFLAKE
        defaults: {{mode: incremental, primary_key: [id], object: "{{s}}.{{stream_table}}"}}
        streams:
          main.sales: {{meta: {{dagster: {{{daily}}}}}}}
          main.odd: {{meta: {{dagster: {{{daily}}}}}}}
          'main."Sales 2"': {{meta: {{dagster: {{{daily}}}}}}}
          q:
            sql: select id as id2, * from odd where id < 8
            meta: {{dagster: {{{daily}}}}}
    """)

    result = project.run(partition_key="2024-07-01")

    assert {name: found["rows_loaded"] for name, found in materialized(result).items()} == {
        "sales": 4,
        "sales_2": 4,
        "q": 4,
    }
    assert project.rows("select id from {s}.sales order by id") == [(2,), (3,), (4,), (5,)]
    message = failure_of(result)
    assert "main.odd: the column 'soldAt' holds values that are no dates or times" in (message)
    assert "yesterday" in message

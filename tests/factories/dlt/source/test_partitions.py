"""Partitions: each run loads the rows with start <= x < end, whatever holds their time."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import dlt
import pandas as pd
import pyarrow as pa
import pytest
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)
from dlt.extract.exceptions import ResourceExtractionError

from factories.core.execution.window import Window
from factories.dlt.config.schema import Incremental
from factories.dlt.config.time_formats import bound
from factories.dlt.errors import SourceError
from factories.dlt.source.cursor import incremental_arguments
from factories.dlt.source.row_cursor import add_cursor
from tests.factories.conftest import Source
from tests.factories.dlt.conftest import Project, materialized

pytestmark = pytest.mark.clients

NEW_YORK = ZoneInfo("America/New_York")
PATTERN = "'YYYY-MM-DD HH24:MI:SS'"  # of PostgreSQL
DAILY = "{type: daily, start: 2024-01-01, end: 2024-01-06}"


def run_range(project: Project, first: str, last: str) -> dg.ExecuteInProcessResult:
    """Load a range of partitions in one run, as a single-run backfill does."""
    tags = {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last}
    return project.run(tags=tags)


def partitioned_yaml(cursor: str, partition: str, name: str = "events", more: str = "") -> str:
    """The resources of a pipeline with one that is partitioned."""
    return (
        f"resources:\n  {name}:\n    write_disposition: merge\n    primary_key: id\n"
        f"    incremental: {{cursor_path: at{cursor}}}\n"
        f"    meta: {{dagster: {{partition: {partition}}}}}\n{more}"
    )


def database(cursor: str, partition: str, **arguments: object) -> str:
    given = {"credentials": "${SHOP_URL}", "schema": "${SHOP_SCHEMA}", **arguments}
    return f"source: {{sql_database: {json.dumps(given)}}}\n{partitioned_yaml(cursor, partition)}"


def ids(project: Project) -> list[int]:
    return [int(str(n)) for (n,) in project.rows("select id from {d}.events order by id")]


def test_a_range_of_partitions_is_one_run_of_a_step(project: Project) -> None:
    project.module("def events():\n    yield {}\n")
    more = "  others: {}\n"
    project.pipeline(f'source: {{python: "shop:events"}}\n{partitioned_yaml("", DAILY, more=more)}')

    policies = {
        key.path[-1]: made.backfill_policy
        for made in project.assets()
        if isinstance(made, dg.AssetsDefinition)
        for key in made.keys
    }

    assert policies == {"events": dg.BackfillPolicy.single_run(), "others": None}


# Around the bounds of 2 and 3 January: just before, on, just after.
AROUND = (
    "insert into {s}.events values"
    " (1, '2024-01-01 23:59:59.999999'), (2, '2024-01-02 00:00:00'),"
    " (3, '2024-01-02 23:59:59.999999'), (4, '2024-01-03 00:00:00'),"
    " (5, '2024-01-03 00:00:00.000001')"
)


@pytest.mark.parametrize(
    ("column", "backend"), [("timestamp", "pyarrow"), ("timestamptz", "sqlalchemy")]
)
def test_a_row_on_a_bound_is_in_the_partition_that_begins_there(
    project: Project, source: Source, column: str, backend: str
) -> None:
    source.execute(f"create table {{s}}.events (id int, at {column})", AROUND)
    project.pipeline(database(", row_order: asc", DAILY, backend=backend))

    found = project.run(partition_key="2024-01-02")
    assert found.success, project.failure()
    assert ids(project) == [2, 3]

    again = project.run(partition_key="2024-01-02")
    assert materialized(again)["events"]["rows_loaded"] == 2
    assert ids(project) == [2, 3]

    project.run(partition_key="2024-01-01")  # an earlier one, later
    assert ids(project) == [1, 2, 3]

    run_range(project, "2024-01-02", "2024-01-04")
    assert ids(project) == [1, 2, 3, 4, 5]


def test_what_lies_between_two_ranges_is_not_loaded(project: Project, source: Source) -> None:
    source.execute(
        "create table {s}.events (id int, at timestamp)",
        "insert into {s}.events select n, timestamp '2023-12-31' + n * interval '1 day'"
        " from generate_series(1, 5) n",
    )
    project.pipeline(database("", DAILY))

    # As Dagster launches a backfill whose partitions have a hole: one run for each side of it.
    run_range(project, "2024-01-04", "2024-01-05")
    run_range(project, "2024-01-01", "2024-01-02")

    assert ids(project) == [1, 2, 4, 5]


def test_a_date_column_is_partitioned_by_day_and_refused_by_hour(
    project: Project, source: Source
) -> None:
    source.execute(
        "create table {s}.events (id int, at date)",
        "insert into {s}.events select n, date '2023-12-31' + n from generate_series(1, 5) n",
    )
    project.pipeline(database("", DAILY))
    run_range(project, "2024-01-02", "2024-01-03")
    assert ids(project) == [2, 3]

    # Its columns are known when it runs only.
    project.pipeline(database("", "{type: hourly, start: 2024-01-01, end: 2024-01-06}"))
    project.run(partition_key="2024-01-02-05:00")
    assert "the cursor's field holds dates" in project.failure()


@pytest.mark.parametrize(
    ("column", "form", "value"),
    [
        ("bigint", "epoch", "1704153600 + n"),
        ("bigint", "epoch_ms", "1704153600000 + n"),
        (
            "text",
            "'%Y-%m-%d %H:%M:%S'",
            "to_char('2024-01-02'::timestamp + n * '1 s'::interval, {f})",
        ),
    ],
)
def test_other_columns_hold_time_as_datetime_format_says(
    project: Project, source: Source, column: str, form: str, value: str
) -> None:
    source.execute(
        f"create table {{s}}.events (id int, at {column})",
        f"insert into {{s}}.events select n, {value.format(f=PATTERN)}"
        " from generate_series(-1, 1) n",
    )
    project.pipeline(database(f", datetime_format: {form}", DAILY))
    project.run(partition_key="2024-01-02")
    assert ids(project) == [0, 1]

    project.pipeline(database("", DAILY))
    project.run(partition_key="2024-01-02")
    assert "incremental.datetime_format must say how it holds time" in project.failure()


def test_a_day_of_new_york_is_wall_time_without_zone_and_an_instant_with_one(
    project: Project, source: Source
) -> None:
    """On 10 March 2024 clocks went from 02:00 to 03:00: that day had 23 hours."""
    partition = "{type: daily, start: 2024-03-09, end: 2024-03-12, timezone: America/New_York}"
    for column, rows in (
        ("timestamp", ["2024-03-09 23:59:59.999999", "2024-03-10 00:00",
                       "2024-03-10 23:59:59.999999", "2024-03-11 00:00"]),
        ("timestamptz", ["2024-03-10 04:59:59.999999Z", "2024-03-10 05:00Z",
                         "2024-03-11 03:59:59.999999Z", "2024-03-11 04:00Z"]),
    ):  # fmt: skip
        source.execute(
            "drop table if exists {s}.events",
            f"create table {{s}}.events (id int, at {column})",
            *(f"insert into {{s}}.events values ({n}, '{at}')" for n, at in enumerate(rows)),
        )
        project.pipeline(database("", partition), f"of_{column}")
        (project.root / "dlt_pipelines" / f"of_{column}.yaml").rename(
            project.root / "dlt_pipelines" / "shop.yaml"
        )
        project.run(partition_key="2024-03-10")

        assert ids(project) == [1, 2]
        project.rows("drop table {d}.events")
        project.dataset += "x"


def test_the_hour_that_autumn_repeats_is_loaded_once(project: Project, source: Source) -> None:
    """On 3 November 2024 the hour from 01:00 came twice: each is a partition."""
    partition = (
        "{type: hourly, start: '2024-11-03', end: '2024-11-03T04:00', timezone: America/New_York}"
    )
    source.execute(
        "create table {s}.events (id int, at timestamptz)",
        "insert into {s}.events select n, timestamptz '2024-11-03 04:30Z' + n * interval '1 hour'"
        " from generate_series(0, 3) n",
    )
    project.pipeline(database("", partition))

    project.run(partition_key="2024-11-03-01:00")
    assert ids(project) == [1]
    project.run(partition_key="2024-11-03-01:00-0500")
    assert ids(project) == [1, 2]
    run_range(project, "2024-11-03-00:00", "2024-11-03-02:00")
    assert ids(project) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("partition", "key", "expected"),
    [
        ("{type: weekly, start: 2024-01-07}", "2024-01-07", [7, 8, 9, 10, 11, 12, 13]),
        ("{type: monthly, start: 2024-01-01}", "2024-02-01", list(range(32, 61))),
    ],
)
def test_weeks_and_months(
    project: Project, source: Source, partition: str, key: str, expected: list[int]
) -> None:
    source.execute(
        "create table {s}.events (id int, at timestamp)",
        "insert into {s}.events select n, timestamp '2023-12-31' + n * interval '1 day'"
        " from generate_series(1, 70) n",
    )
    project.pipeline(database("", partition))

    project.run(partition_key=key)

    assert ids(project) == expected


ROWS = """
    import datetime as dt
    import dlt
    import pandas as pd
    import pyarrow as pa

    def moments():
        start = dt.datetime(2024, 1, 2, 5, tzinfo=dt.UTC)  # 00:00 in New York
        micro, day = dt.timedelta(microseconds=1), dt.timedelta(days=1)
        return [start - micro, start, start + day - micro, start + day]

    def local(moment):
        return (moment - dt.timedelta(hours=5)).replace(tzinfo=None)

    def rows(how):
        for n, moment in enumerate(moments()):
            yield {"id": n, "at": how(moment)}

    def aware():
        yield from rows(lambda moment: moment)

    def naive():
        yield from rows(local)

    def dates():
        yield from rows(lambda moment: local(moment).date())

    def texts():
        yield from rows(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))

    def epochs():
        yield from rows(lambda moment: moment.timestamp())

    def arrow():
        yield pa.Table.from_pylist(list(rows(local)))

    def frames():
        yield pd.DataFrame(list(rows(local)))

    def asked(at=dlt.sources.incremental("at")):
        for row in rows(lambda moment: moment):
            if at.initial_value <= row["at"] < at.end_value:
                yield row
"""
OF_NEW_YORK = "{type: daily, start: 2024-01-01, end: 2024-01-06, timezone: America/New_York}"


@pytest.mark.parametrize(
    ("function", "form", "expected"),
    [
        ("aware", "", [1, 2]),
        ("aware", ", datetime_format: timestamp, row_order: asc, lag: 86400", [1, 2]),
        ("naive", ", datetime_format: timestamp_ntz", [1, 2]),
        ("dates", ", datetime_format: date", [1, 2]),
        ("texts", ", datetime_format: '%Y-%m-%dT%H:%M:%S.%fZ', range_start: open", [1, 2]),
        ("epochs", ", datetime_format: epoch", [1, 2]),
        ("arrow", ", datetime_format: timestamp_ntz", [1, 2]),
        ("frames", ", datetime_format: timestamp_ntz", [1, 2]),
        ("asked", ", last_value_func: min, row_order: desc", [1, 2]),
    ],
)
def test_rows_in_python(project: Project, function: str, form: str, expected: list[int]) -> None:
    project.module(ROWS)
    project.pipeline(
        f'source: {{python: "shop:{function}"}}\n{partitioned_yaml(form, OF_NEW_YORK)}'
    )

    result = project.run(partition_key="2024-01-02")

    assert result.success, project.failure()
    assert ids(project) == expected


MOMENT = dt.datetime(2024, 1, 2)  # noqa: DTZ001 - it has none


@pytest.mark.parametrize(
    ("row", "reported"),
    [
        ({"at": MOMENT}, "times without zone: .* so give that: timestamp_ntz"),
        (pa.table({"at": [None, MOMENT]}), "times without zone"),
        (pd.DataFrame({"at": [None, MOMENT]}), "times without zone"),
        ({"at": MOMENT.date()}, "dates: .* so give that: date"),
        ({"at": "2024-01-02T04:59:59.99Z"}, "text such as .*: '%Y-%m-%dT%H:%M:%S.%fZ'"),
        ({"at": "2024-01-02T04:59:59+00:00"}, r"text such as .*: '%Y-%m-%dT%H:%M:%S\+00:00'"),
        ({"at": "2024-01-02T04:59:59-05:00"}, "a strftime pattern, once the source gives .* UTC"),
        ({"at": "2 January"}, "text such as '2 January': .* a strftime pattern"),
        ({"at": 1704171599}, "numbers such as 1704171599: .* epoch or epoch_ms"),
    ],
    ids=str,
)
def test_rows_that_hold_time_otherwise_are_refused_with_what_to_write(
    row: Any, reported: str
) -> None:
    resource = dlt.resource([row], name="events")
    window = Window(*(dt.datetime(2024, 1, day, tzinfo=dt.UTC) for day in (2, 3)))
    add_cursor(resource, Incremental.model_validate({"cursor_path": "at"}), window)

    with pytest.raises(ResourceExtractionError, match=reported):
        list(resource)


def test_what_a_run_says_of_them_is_the_remedy_alone(project: Project) -> None:
    project.module(ROWS)
    project.pipeline(f'source: {{python: "shop:naive"}}\n{partitioned_yaml("", OF_NEW_YORK)}')

    project.run(partition_key="2024-01-02")

    assert "events: extract: CursorFormatError: at holds times without zone" in project.failure()
    assert not project.has_table("events")


def test_a_format_that_is_not_the_fields_is_reported(project: Project) -> None:
    project.module(ROWS)
    resources = partitioned_yaml(", datetime_format: epoch", OF_NEW_YORK)
    project.pipeline(f'source: {{python: "shop:texts"}}\n{resources}')

    project.run(partition_key="2024-01-02")

    assert "at holds text such as '2024-01-02T04:59:59.999999Z'" in project.failure()
    assert "so give that: '%Y-%m-%dT%H:%M:%S.%fZ'" in project.failure()


def test_partitions_leave_the_cursor_of_other_runs_alone(project: Project) -> None:
    project.module("""
        import datetime as dt
        import dlt

        def rows():
            return [
                {"id": n, "at": dt.datetime(2024, 1, n, tzinfo=dt.UTC)} for n in range(1, 5)
            ]

        @dlt.source
        def shop():
            return dlt.resource(rows, name="events"), dlt.resource(rows, name="latest")
    """)
    latest = "  latest: {incremental: {cursor_path: at}}\n"
    project.pipeline(f'source: {{python: "shop:shop"}}\n{partitioned_yaml("", DAILY, more=latest)}')
    counts = []
    for selection, options in (
        ("latest", {}),
        ("events", {"partition_key": "2024-01-03"}),
        ("latest", {}),
    ):
        result = project.run(selection, **options)
        assert result.success, project.failure()
        counts.append(materialized(result)[selection]["rows_loaded"])

    assert counts == [4, 1, 0]


def test_the_state_outlives_another_pool_and_other_partitions(project: Project) -> None:
    project.module("""
        import datetime as dt
        import dlt

        def rows():
            return [
                {"id": n, "at": dt.datetime(2024, 1, n, tzinfo=dt.UTC)} for n in range(1, 5)
            ]

        @dlt.source
        def shop():
            return dlt.resource(rows, name="events"), dlt.resource(rows, name="latest")
    """)
    counts = []
    for pool, end in (("", "2024-01-06"), ("pool: db", "2024-01-09")):
        latest = "  latest: {incremental: {cursor_path: at}}\n"
        daily = f"{{type: daily, start: 2024-01-01, end: {end}}}"
        project.pipeline(
            f'source: {{python: "shop:shop"}}\ndefaults: {{meta: {{dagster: {{{pool}}}}}}}\n'
            + partitioned_yaml("", daily, more=latest)
        )
        counts.append(materialized(project.run("latest"))["latest"]["rows_loaded"])
        assert project.run("events", partition_key="2024-01-03").success

    assert counts == [4, 0]
    assert project.rows("select distinct pipeline_name from {d}._dlt_pipeline_state") == [("shop",)]


def test_a_run_without_a_partition_is_refused(project: Project) -> None:
    project.module(ROWS)
    project.pipeline(f'source: {{python: "shop:aware"}}\n{partitioned_yaml("", DAILY)}')

    project.run()

    assert "the run names no partition" in project.failure()
    assert not project.has_table("events")


WEATHER = """
    source:
      rest_api:
        client:
          base_url: ${WEATHER_API_URL}
          paginator: {type: cursor, cursor_path: next_cursor, cursor_param: cursor}
        resource_defaults: {endpoint: {data_selector: data}}
        resources:
          - name: observations
            endpoint: {path: observations, params: %s}
    resources:
      observations:
        write_disposition: merge
        primary_key: [origin, time_hour]
        incremental: {cursor_path: time_hour, %s}
        meta: {dagster: {partition: {type: daily, start: 2013-01-01, timezone: America/New_York}}}
"""
ISO = "datetime_format: '%Y-%m-%dT%H:%M:%SZ'"


@pytest.mark.parametrize(
    ("params", "cursor"),
    [
        (
            "{page_size: 50, since: '{incremental.start_value}', until: '{incremental.end_value}'}",
            ISO,
        ),
        ("{page_size: 50}", f"{ISO}, start_param: since, end_param: until"),
    ],
)
def test_an_api_is_asked_for_the_window(
    project: Project, weather_url: str, params: str, cursor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEATHER_API_URL", weather_url)
    project.pipeline(WEATHER % (params, cursor))

    result = project.run(partition_key="2013-07-05")

    assert result.success, project.failure()
    assert materialized(result)["observations"]["rows_loaded"] == 72
    bounds = "select min(time_hour), max(time_hour), count(*) from {d}.observations"
    (found,) = project.rows(bounds)
    assert found == (
        dt.datetime(2013, 7, 5, 4, tzinfo=dt.UTC),
        dt.datetime(2013, 7, 6, 3, tzinfo=dt.UTC),
        72,
    )

    run_range(project, "2013-07-04", "2013-07-05")
    (found,) = project.rows(bounds)
    assert found[2] == 144


def test_a_partitioned_api_without_a_format_is_a_problem(project: Project) -> None:
    project.pipeline(WEATHER % ("{}", "row_order: asc"))

    (problem,) = project.problems()

    assert "a partition of an API needs datetime_format" in problem


def test_a_format_that_is_none_is_a_problem(project: Project) -> None:
    project.pipeline(WEATHER % ("{}", "datetime_format: epoc"))

    (problem,) = project.problems()

    assert "'epoc' is neither a strftime pattern nor one of" in problem
    assert "did you mean 'epoch'?" in problem


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (None, dt.datetime(2024, 7, 1, 4, tzinfo=dt.UTC)),
        ("timestamp_ntz", dt.datetime(2024, 7, 1)),  # noqa: DTZ001 - it has none
        ("date", dt.date(2024, 7, 1)),
        ("epoch", 1719806400),
        ("epoch_ms", 1719806400000),
        ("%Y-%m-%dT%H:%M:%SZ", "2024-07-01T04:00:00Z"),
        ("%Y-%m-%dT%H:%M:%S+00:00", "2024-07-01T04:00:00+00:00"),
        ("%Y-%m-%d %H:%M", "2024-07-01 00:00"),
    ],
)
def test_a_bound(form: str | None, expected: object) -> None:
    assert bound(dt.datetime(2024, 7, 1, tzinfo=NEW_YORK), form) == expected


def test_a_window_replaces_what_would_reach_beyond_it() -> None:
    settings = Incremental.model_validate(
        {
            "cursor_path": "at", "initial_value": "2020-01-01", "range_start": "open", "lag": 3,
            "last_value_func": "min", "row_order": "desc", "datetime_format": "epoch",
        }
    )  # fmt: skip
    start, end = (dt.datetime(2024, 1, day, tzinfo=dt.UTC) for day in (1, 2))

    assert incremental_arguments(settings, Window(start, end)) == {
        "cursor_path": "at",
        "initial_value": 1704067200,
        "end_value": 1704153600,
        "range_start": "closed",
        "range_end": "open",
        "last_value_func": "max",
        "row_order": "asc",
    }


def test_an_initial_value_is_of_the_fields_kind() -> None:
    settings = Incremental.model_validate({"cursor_path": "at", "initial_value": "2024-01-01"})

    made = {f: incremental_arguments(settings, None, field=f)["initial_value"] for f in KINDS}

    assert made == KINDS
    wrong = Incremental.model_validate({"cursor_path": "at", "initial_value": "yesterday"})
    with pytest.raises(SourceError, match="'yesterday' is not a time"):
        incremental_arguments(wrong, None, field="date")


KINDS = {
    None: "2024-01-01",
    "timestamp": dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
    "timestamp_ntz": dt.datetime(2024, 1, 1),  # noqa: DTZ001 - it has none
    "date": dt.date(2024, 1, 1),
}

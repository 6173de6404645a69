"""Partitions in any zone, over fields of every kind, in the nights in which clocks change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import dagster as dg
import dlt
import pandas as pd
import pyarrow as pa
import pytest
from dlt.extract.exceptions import ResourceExtractionError

from factories.core.execution.window import Window
from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.warehouse.names import Relation
from factories.dlt.config.pipelines import Resource
from factories.dlt.config.schema import DltResource, Incremental
from factories.dlt.errors import SourceError
from factories.dlt.source.database_source import database_tables
from factories.dlt.source.row_cursor import add_cursor
from tests.factories.conftest import Source

# The days of 2024 on which clocks change; Kolkata's never do.
NIGHTS = {
    "America/New_York": ("2024-03-10", "2024-11-03"),
    "Europe/Berlin": ("2024-03-31", "2024-10-27"),
    "America/Havana": ("2024-03-10", "2024-11-03"),  # at midnight
    "Australia/Lord_Howe": ("2024-04-07", "2024-10-06"),  # by half an hour
    "Asia/Kolkata": ("2024-03-10", "2024-11-03"),
    "UTC": ("2024-03-10", "2024-11-03"),
}
WALL, IN_UTC = "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"
# The `datetime_format` of each field: None where a database's column says it.
FORMS = {
    "tz": None,
    "ntz": None,
    "day": None,
    "txt": WALL,
    "txtz": IN_UTC,
    "ep": "epoch",
    "epms": "epoch_ms",
}
OF_ROWS = {**FORMS, "ntz": "timestamp_ntz", "day": "date"}
VALUES: dict[str, Callable[[dt.datetime], Any]] = {
    "tz": lambda moment: moment.astimezone(dt.UTC),
    "ntz": lambda moment: moment.replace(tzinfo=None),
    "day": lambda moment: moment.date(),
    "txt": lambda moment: moment.strftime(WALL),
    "txtz": lambda moment: moment.astimezone(dt.UTC).strftime(IN_UTC),
    "ep": lambda moment: int(moment.timestamp()),
    "epms": lambda moment: int(moment.timestamp()) * 1000,
}
STEP = dt.timedelta(minutes=15)


def moments(zone: str) -> list[dt.datetime]:
    """Every quarter of an hour around the nights of a zone; the index is the row's id."""
    found = []
    for day in NIGHTS[zone]:
        noon = dt.datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(zone))
        first = noon.astimezone(dt.UTC) - dt.timedelta(hours=36)
        found += [(first + n * STEP).astimezone(noon.tzinfo) for n in range(72 * 4)]
    return found


def days(zone: str) -> Iterator[Window]:
    """The days before, in and after which clocks change."""
    for night in NIGHTS[zone]:
        first = dt.datetime.fromisoformat(night).replace(tzinfo=ZoneInfo(zone))
        for n in (-1, 0, 1):
            yield Window(first + dt.timedelta(days=n), first + dt.timedelta(days=n + 1))


def within(zone: str, window: Window) -> list[int]:
    """The rows of a window, by the instants alone."""
    start, end = window.start.astimezone(dt.UTC), window.end.astimezone(dt.UTC)
    return [n for n, m in enumerate(moments(zone)) if start <= m.astimezone(dt.UTC) < end]


def cursor_of(field: str, form: str | None) -> dict[str, Any]:
    return {"cursor_path": field, **({"datetime_format": form} if form else {})}


@pytest.fixture
def tables(source: Source) -> Source:
    """A table for each zone, whose fields all hold the same times."""
    for n, zone in enumerate(NIGHTS):
        values = ", ".join(
            f"({row}, '{moment.isoformat()}')" for row, moment in enumerate(moments(zone))
        )
        wall = f"(at at time zone '{zone}')"
        source.execute(
            f"create table {{s}}.zone{n} as select id, at as tz, {wall} as ntz,"
            f" {wall}::date as day, to_char({wall}, 'YYYY-MM-DD HH24:MI:SS') as txt,"
            " to_char(at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as txtz,"
            " extract(epoch from at)::bigint as ep, extract(epoch from at)::bigint * 1000 as epms"
            f" from (select id, at::timestamptz as at from (values {values}) v (id, at)) t"
        )
    return source


def read(source: Source, table: str, cursor: dict[str, Any], window: Window, **more: Any) -> Any:
    settings = DltResource.model_validate({"incremental": cursor, "primary_key": "id"})
    resource = Resource(
        table, {}, settings, Relation("RAW", "S", table), dg.AssetKey(table), DagsterMeta(), 1, ""
    )
    config = {"credentials": source.url, "schema": source.schema, **more}
    (made,) = database_tables(config, [resource], window)
    return sorted(
        row["id"]
        for item in list(made)
        for row in (item.to_pylist() if isinstance(item, pa.Table) else [item])
    )


@pytest.mark.clients
@pytest.mark.parametrize(
    ("backend", "session"), [("pyarrow", "America/New_York"), ("sqlalchemy", "Asia/Tokyo")]
)
def test_columns_of_a_database(tables: Source, backend: str, session: str) -> None:
    """Whatever the zone of the database's session."""
    options = quote(f"-c timezone={session}")
    elsewhere = Source(f"{tables.url}&options={options}", tables.schema)
    for n, zone in enumerate(NIGHTS):
        if (backend == "pyarrow") == (n % 2 == 0):
            continue
        window = list(days(zone))[1 if n < 3 else 4]
        for field, form in FORMS.items():
            found = read(elsewhere, f"zone{n}", cursor_of(field, form), window, backend=backend)
            assert found == within(zone, window), (zone, field)


@pytest.mark.parametrize("field", OF_ROWS)
def test_rows(field: str) -> None:
    """Dicts, as an API, files and functions give them, and tables."""
    form = OF_ROWS[field]
    for zone in NIGHTS:
        rows = [{"id": n, field: VALUES[field](m)} for n, m in enumerate(moments(zone))]
        for n, window in enumerate(days(zone)):
            if n % 3 == 0 and zone not in {"America/Havana", "UTC"}:
                continue
            given: Any = (rows, [pa.Table.from_pylist(rows)], [pd.DataFrame(rows)])[n % 3]
            if field == "day" and n % 3 == 2:
                given = rows  # a data frame has no dates
            resource = dlt.resource(given, name="events")
            add_cursor(resource, Incremental.model_validate(cursor_of(field, form)), window)
            found = []
            for item in list(resource):
                if isinstance(item, dict):
                    found.append(item["id"])
                else:
                    table = item if isinstance(item, pd.DataFrame) else item.to_pandas()
                    found += [int(number) for number in table["id"]]
            assert found == within(zone, window), (zone, window)


def test_hours_without_a_zone_are_in_their_partition_and_repeated_ones_in_both() -> None:
    """Nothing tells the hour from its repetition: neither of the two partitions is without it."""
    for zone in ("America/New_York", "America/Havana", "Australia/Lord_Howe"):
        for night in NIGHTS[zone][:: 1 if zone == "Australia/Lord_Howe" else -2]:
            first = dt.datetime.fromisoformat(night).replace(tzinfo=ZoneInfo(zone))
            start = first.astimezone(dt.UTC)
            bounds = [
                (start + n * dt.timedelta(hours=1)).astimezone(first.tzinfo) for n in range(9)
            ]
            rows = [{"id": n, "ntz": VALUES["ntz"](m)} for n, m in enumerate(moments(zone))]
            for window in map(Window, bounds, bounds[1:]):
                resource = dlt.resource(rows, name="events")
                cursor = cursor_of("ntz", "timestamp_ntz")
                add_cursor(resource, Incremental.model_validate(cursor), window)
                found = [row["id"] for row in resource]
                hours = {VALUES["ntz"](moments(zone)[row]) for row in within(zone, window)}
                assert {rows[row]["ntz"] for row in found} >= hours, window
                extra = set(found) - set(within(zone, window))
                assert {rows[row]["ntz"] for row in extra} <= _repeated(zone), window


def _repeated(zone: str) -> set[dt.datetime]:
    """The times that a clock of the zone shows twice."""
    shown = [VALUES["ntz"](moment) for moment in moments(zone)]
    return {moment for moment in shown if shown.count(moment) > 1}


REFUSED_COLUMNS = {
    ("tz", "timestamp_ntz"): "is TIMESTAMP, which .* is not: write 'timestamp'",
    ("tz", "date"): "write 'timestamp'",
    ("tz", IN_UTC): "write 'timestamp'",
    ("tz", "epoch"): "write 'timestamp'",
    ("ntz", "timestamp"): "write 'timestamp_ntz'",
    ("ntz", WALL): "write 'timestamp_ntz'",
    ("day", "timestamp"): "write 'date'",
    ("day", "%Y-%m-%d"): "write 'date'",
    ("txt", "epoch"): "write a pattern",
    ("txt", "timestamp_ntz"): "write a pattern",
    ("ep", WALL): "write epoch or epoch_ms",
    ("ep", "timestamp"): "write epoch or epoch_ms",
    ("txt", None): "incremental.datetime_format must say how it holds time",
    # What values alone show.
    ("txt", IN_UTC): "txt holds text such as '2024-.*so give that: '%Y-%m-%d %H:%M:%S'",
    ("txtz", WALL): "txtz holds text such as '2024-.*so give that: '%Y-%m-%dT%H:%M:%SZ'",
    ("ep", "epoch_ms"): "which as epoch_ms is no time of our days: .* should be epoch",
    ("epms", "epoch"): "which as epoch is no time of our days: .* should be epoch_ms",
}


@pytest.mark.clients
def test_a_format_that_a_column_contradicts_is_refused(tables: Source) -> None:
    window = next(days("America/New_York"))
    for (field, form), expected in REFUSED_COLUMNS.items():
        with pytest.raises((SourceError, ResourceExtractionError), match=expected):
            read(tables, "zone0", cursor_of(field, form), window)


@pytest.mark.parametrize(
    ("field", "form", "expected"),
    [
        ("tz", "timestamp_ntz", "tz holds times with a zone: .* so give that: timestamp"),
        ("tz", "date", "so give that: timestamp"),
        ("ntz", "timestamp", "ntz holds times without zone: .* so give that: timestamp_ntz"),
        ("day", "timestamp_ntz", "day holds dates: .* so give that: date"),
        ("txt", IN_UTC, "so give that: '%Y-%m-%d %H:%M:%S'"),
        ("txtz", WALL, "so give that: '%Y-%m-%dT%H:%M:%SZ'"),
        ("txt", "epoch", "txt holds text such as"),
        ("ep", IN_UTC, "ep holds numbers such as .* so give that: epoch or epoch_ms"),
        ("ep", "epoch_ms", "should be epoch"),
        ("epms", "epoch", "should be epoch_ms"),
    ],
)
def test_a_format_that_rows_contradict_is_refused(field: str, form: str, expected: str) -> None:
    rows = [{"id": n, field: VALUES[field](m)} for n, m in enumerate(moments("UTC")[:3])]
    for given in (rows, [pa.Table.from_pylist(rows)]):
        resource = dlt.resource(given, name="events")
        cursor = Incremental.model_validate(cursor_of(field, form))
        add_cursor(resource, cursor, next(days("UTC")))
        with pytest.raises(ResourceExtractionError, match=expected):
            list(resource)


@pytest.mark.parametrize(
    ("text", "form", "refused"),
    [
        ("2024-03-09T23:59:59.5Z", "%Y-%m-%dT%H:%M:%S.%fZ", False),
        ("2024-03-10T00:00:00Z", "%Y-%m-%dT%H:%M:%S.%fZ", False),
        ("2024-03-10T00:00:00.25Z", IN_UTC, True),  # as text it is before midnight
        ("2024-03-10T05:00:00.25Z", IN_UTC, False),
        ("2024-03-10T00:00:00", WALL, False),
        ("2024-03-10 00:00:00+02:00", WALL, True),
        ("2024-03-10 00:00", WALL, True),
        ("10.03.2024", WALL, True),
    ],
)
def test_text_of_another_shape_is_loaded_where_its_order_is_that_of_time(
    text: str, form: str, *, refused: bool
) -> None:
    start = dt.datetime(2024, 3, 10, tzinfo=dt.UTC)
    resource = dlt.resource([{"at": text}], name="events")
    window = Window(start, start + dt.timedelta(days=1))
    add_cursor(resource, Incremental.model_validate(cursor_of("at", form)), window)

    if refused:
        with pytest.raises(ResourceExtractionError, match="so give that"):
            list(resource)
    else:
        assert len(list(resource)) == (text >= "2024-03-10")

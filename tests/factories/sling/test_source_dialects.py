"""Names, texts and times in the SQL of each system that Sling reads."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from factories.core.execution.window import UnreadableWindowError, Window
from factories.sling.partition_condition import PartitionLimit, SourceColumn, find_column
from factories.sling.schema import CONNECTION_TYPES
from factories.sling.source_dialects import DIALECTS, TimeKind
from factories.sling.source_types import FILE_TYPES, WITH_BACKTICKS, WITHOUT_SQL

NEW_YORK = ZoneInfo("America/New_York")
WINDOW = Window(datetime(2024, 7, 1, tzinfo=NEW_YORK), datetime(2024, 7, 2, tzinfo=NEW_YORK))


def condition(kind: str, native_type: str, name: str = "t") -> str:
    limit = PartitionLimit(name, WINDOW)
    return limit.build_condition([SourceColumn(name, native_type)], DIALECTS[kind])


def test_every_type_of_connection_has_a_dialect_or_none_is_possible() -> None:
    assert set(CONNECTION_TYPES) == {*DIALECTS, *FILE_TYPES, *WITHOUT_SQL}
    backticks = {kind for kind, dialect in DIALECTS.items() if dialect.quotes == "``"}
    assert backticks == WITH_BACKTICKS


@pytest.mark.parametrize(
    ("kind", "name", "quoted"),
    [
        ("postgres", "happenedAt", '"happenedAt"'),
        ("redshift", "order", '"order"'),
        ("oracle", 'a "b"', '"a ""b"""'),
        ("snowflake", "UPDATED_AT", '"UPDATED_AT"'),
        ("duckdb", "é", '"é"'),
        ("mysql", "a `b", "`a ``b`"),
        ("mariadb", "group", "`group`"),
        ("bigquery", "2nd", "`2nd`"),
        ("databricks", "a.b", "`a.b`"),
        ("sqlserver", "a]b", "[a]]b]"),
    ],
)
def test_a_name_is_quoted_as_its_source_does(kind: str, name: str, quoted: str) -> None:
    assert DIALECTS[kind].quote_name(name) == quoted


@pytest.mark.parametrize(
    ("kind", "text", "literal"),
    [
        ("postgres", r"O'Hare\n", r"'O''Hare\n'"),
        ("mysql", r"O'Hare\n", r"'O\'Hare\\n'"),
        ("bigquery", "O'Hare", r"'O\'Hare'"),
        ("sqlserver", "Zürich", "N'Zürich'"),
        ("sqlserver", "Oslo", "'Oslo'"),
    ],
)
def test_a_text_is_quoted_as_its_source_does(kind: str, text: str, literal: str) -> None:
    assert DIALECTS[kind].quote_text(text) == literal


@pytest.mark.parametrize(
    ("kind", "native_type", "found"),
    [
        ("postgres", "timestamp without time zone", TimeKind.WALL),
        ("postgres", "timestamp(3) without time zone", TimeKind.WALL),
        ("postgres", "TIMESTAMPTZ", TimeKind.INSTANT),
        ("postgres", "timestamp(3) with time zone", TimeKind.INSTANT),
        ("postgres", "date", TimeKind.DATE),
        ("postgres", "text", None),
        ("postgres", "time with time zone", None),
        ("postgres", "INT8", None),
        ("mysql", "DATETIME", TimeKind.WALL),
        ("mysql", "TIMESTAMP", TimeKind.INSTANT),
        ("sqlserver", "DATETIME2", TimeKind.WALL),
        ("sqlserver", "DATETIMEOFFSET", TimeKind.INSTANT),
        ("sqlserver", "TIMESTAMP", None),  # a version of a row
        ("oracle", "DATE", TimeKind.WALL),
        ("oracle", "TimeStampDTY", TimeKind.WALL),
        ("oracle", "TIMESTAMP(6) WITH LOCAL TIME ZONE", TimeKind.INSTANT),
        ("snowflake", "TIMESTAMP_NTZ", TimeKind.WALL),
        ("snowflake", "TIMESTAMP_LTZ", TimeKind.INSTANT),
        ("bigquery", "DATETIME", TimeKind.WALL),
        ("bigquery", "TIMESTAMP", TimeKind.INSTANT),
        ("databricks", "TIMESTAMP_NTZ", TimeKind.WALL),
        ("databricks", "TIMESTAMP", TimeKind.INSTANT),
        ("clickhouse", "Nullable(DateTime64(6, 'UTC'))", TimeKind.INSTANT),
        ("clickhouse", "Date32", TimeKind.DATE),
        ("duckdb", "TIMESTAMP WITH TIME ZONE", TimeKind.INSTANT),
        ("trino", "timestamp(3)", TimeKind.WALL),
        ("sqlite", "", TimeKind.TEXT),
    ],
)
def test_a_type_says_what_its_column_holds(
    kind: str, native_type: str, found: TimeKind | None
) -> None:
    assert DIALECTS[kind].find_time_kind(native_type) is found


@pytest.mark.parametrize(
    ("kind", "native_type", "expected"),
    [
        (
            "postgres",
            "timestamp",
            "\"t\" >= '2024-07-01 00:00:00' and \"t\" < '2024-07-02 00:00:00'",
        ),
        (
            "postgres",
            "timestamptz",
            (
                "\"t\" >= timestamptz '2024-07-01 04:00:00+00:00'"
                " and \"t\" < timestamptz '2024-07-02 04:00:00+00:00'"
            ),
        ),
        ("postgres", "date", "\"t\" >= '2024-07-01' and \"t\" < '2024-07-02'"),
        (
            "mysql",
            "timestamp",
            "unix_timestamp(`t`) >= 1719806400 and unix_timestamp(`t`) < 1719892800",
        ),
        (
            "sqlserver",
            "datetime",
            (
                "[t] >= cast('2024-07-01T00:00:00' as datetime2)"
                " and [t] < cast('2024-07-02T00:00:00' as datetime2)"
            ),
        ),
        (
            "oracle",
            "DATE",
            (
                "\"t\" >= timestamp '2024-07-01 00:00:00'"
                " and \"t\" < timestamp '2024-07-02 00:00:00'"
            ),
        ),
    ],
)
def test_bounds_are_written_for_the_type_of_the_column(
    kind: str, native_type: str, expected: str
) -> None:
    assert condition(kind, native_type) == expected


@pytest.mark.parametrize("kind", sorted(DIALECTS))
def test_no_bound_of_an_instant_is_without_its_offset(kind: str) -> None:
    dialect = DIALECTS[kind]
    if dialect.instant is not None:
        assert any(zone in dialect.instant for zone in ("+00:00", "UTC", "{epoch}"))


@pytest.mark.parametrize(
    ("kind", "native_type", "message"),
    [
        ("postgres", "text", "the column 't' holds neither dates nor times, but text"),
        ("mysql", "bigint", "holds neither dates nor times, but bigint"),
        ("postgres", "", "but a type that it does not tell"),
        ("proton", "datetime", "an instant, which partitions of this type of source cannot"),
        ("exasol", "TIMESTAMP WITH LOCAL TIME ZONE", "cannot be compared with"),
    ],
)
def test_a_column_that_places_no_row_is_refused(kind: str, native_type: str, message: str) -> None:
    with pytest.raises(UnreadableWindowError, match=message):
        condition(kind, native_type)


COLUMNS = [SourceColumn(name, "text") for name in ("ID", "happenedAt", "Order", "order", 'a"b')]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("happenedAt", "happenedAt"),
        ("happenedat", "happenedAt"),
        ("id", "ID"),
        ('"happenedAt"', "happenedAt"),
        ("`HAPPENEDAT`", "happenedAt"),
        ("[Order]", "Order"),
        ("order", "order"),
        ('a"b', 'a"b'),
        ('"a""b"', 'a"b'),
    ],
)
def test_a_column_is_found_whatever_its_case_and_quotes(written: str, found: str) -> None:
    assert find_column(written, COLUMNS).name == found


def test_a_column_that_may_be_two_is_refused() -> None:
    with pytest.raises(UnreadableWindowError, match="may be 'Order' or 'order': write it as"):
        find_column("ORDER", COLUMNS)


def test_a_column_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnreadableWindowError) as error:
        find_column("hapenedAt", COLUMNS)
    assert str(error.value) == (
        "there is no column 'hapenedAt', which would say which partition a row is in; did you mean"
        " 'happenedAt'? (the source has: ID, happenedAt, Order, order, a\"b)"
    )

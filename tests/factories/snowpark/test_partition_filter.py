"""Which column a name of YAML is, and which rows lie in a partition, without a warehouse."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from snowflake.snowpark.types import (
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampTimeZone,
    TimestampType,
)

from factories.core.execution.window import UnreadableWindowError, Window
from factories.snowpark.partition_filter import (
    AmbiguousColumnError,
    build_condition,
    find_column,
)

NTZ, TZ, LTZ = (TimestampType(getattr(TimestampTimeZone, kind)) for kind in ("NTZ", "TZ", "LTZ"))


def schema(kind: DataType, *names: str) -> StructType:
    return StructType([StructField(name, kind) for name in names])


def window(zone: str, start: str, end: str) -> Window:
    """A window between two wall times; `(2)` is an hour's second time in autumn."""
    bounds = (
        datetime.fromisoformat(text[:16]).replace(tzinfo=ZoneInfo(zone), fold="(2)" in text)
        for text in (start, end)
    )
    return Window(*bounds)


@pytest.mark.parametrize(
    ("columns", "name", "found"),
    [
        (('"Id"', '"ID"'), "Id", '"Id"'),
        (('"Id"', '"ID"'), "ID", '"ID"'),
        (('"Id"', "V"), "id", '"Id"'),
        (("ID", "V"), "Id", '"ID"'),
        (('"order"', "V"), "ORDER", '"order"'),
        (('"a""b"', '"größe"'), "a", None),
    ],
)
def test_column_is_the_one_that_is_written_so(
    columns: tuple[str, ...], name: str, found: str | None
) -> None:
    assert find_column(schema(LongType(), *columns), name) == found


def test_name_of_several_columns_is_refused() -> None:
    columns = schema(LongType(), '"Id"', '"iD"')

    with pytest.raises(AmbiguousColumnError, match="ID may be each of the columns Id, iD"):
        build_condition(columns, "ID", ("1",))


@pytest.mark.parametrize(
    ("kind", "bounds", "condition"),
    [
        (
            NTZ,
            ("2024-11-03 01:00", "2024-11-03 01:00 (2)"),
            ("'2024-11-03 01:00:00.000000'::timestamp_ntz", "'2024-11-03 02:00:00.000000'"),
        ),
        (
            NTZ,
            ("2024-11-03 01:00 (2)", "2024-11-03 02:00"),
            ("'2024-11-03 01:00:00.000000'::timestamp_ntz", "'2024-11-03 02:00:00.000000'"),
        ),
        (
            TZ,
            ("2024-11-03 01:00", "2024-11-03 01:00 (2)"),
            ("'2024-11-03 05:00:00.000000+00:00'::timestamp_tz", "'2024-11-03 06:00:00.000000"),
        ),
        (
            LTZ,
            ("2024-03-10 01:00", "2024-03-10 03:00"),
            ("'2024-03-10 06:00:00.000000+00:00'::timestamp_tz", "'2024-03-10 07:00:00.000000"),
        ),
    ],
)
def test_hours_of_both_nights_in_which_the_clocks_change(
    kind: DataType, bounds: tuple[str, str], condition: tuple[str, str]
) -> None:
    found = build_condition(schema(kind, "AT"), "at", window("America/New_York", *bounds))

    low, high = found.split(" and ")
    assert low == f'"AT" >= {condition[0]}'
    assert high.startswith(f'"AT" < {condition[1]}')


def test_day_that_begins_at_one_is_a_day() -> None:
    # In Beirut the clocks leave out the hour after midnight.
    day = window("Asia/Beirut", "2024-03-31 01:00", "2024-04-01 00:00")

    found = build_condition(schema(DateType(), "DAY"), "day", day)

    assert found == "\"DAY\" >= '2024-03-31'::date and \"DAY\" < '2024-04-01'::date"


@pytest.mark.parametrize("end", ["2024-03-31 02:00", "2024-03-31 03:00"])
def test_hours_of_dates_are_refused(end: str) -> None:
    hours = window("UTC", "2024-03-31 00:00", end)

    with pytest.raises(UnreadableWindowError, match="cannot place a row in an hourly partition"):
        build_condition(schema(DateType(), "DAY"), "day", hours)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (StringType(), 'to_varchar("K")'),
        (LongType(), 'to_varchar("K")'),
        (BooleanType(), 'to_varchar("K")'),
        (DateType(), "to_varchar(\"K\", 'YYYY-MM-DD')"),
    ],
)
def test_key_is_compared_as_text_of_no_session(kind: DataType, value: str) -> None:
    assert build_condition(schema(kind, "K"), "k", ("a", "b")) == f"{value} in ('a', 'b')"


@pytest.mark.parametrize("kind", [DecimalType(10, 2), DoubleType(), NTZ])
def test_value_whose_text_depends_on_its_format_is_no_key(kind: DataType) -> None:
    with pytest.raises(UnreadableWindowError, match="a static partition's key is a text"):
        build_condition(schema(kind, "K"), "k", ("1",))

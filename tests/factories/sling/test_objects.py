"""Names of streams, and the tables that `object` makes of them."""

from __future__ import annotations

import re

import pytest

from factories.sling.objects import (
    ObjectError,
    StreamName,
    TargetTable,
    find_name_problem,
    parse_stream,
    resolve_object,
)


@pytest.mark.parametrize(
    ("name", "stream"),
    [
        ("flights", StreamName("", "flights")),
        ("ops.flights", StreamName("ops", "flights")),
        ("erp.ops.flights", StreamName("ops", "flights", database="erp")),
        ('"Ops X"."Flights.2013"', StreamName("Ops X", "Flights.2013")),
        ('ops."Flights"', StreamName("ops", "Flights")),
        ("file:///data/orders.csv", StreamName("", "orders", file=True)),
        ("s3://bucket/in/orders.parquet", StreamName("", "orders", file=True)),
        ("s3://bucket/in/orders/", StreamName("", "orders", file=True)),
        ("s3://bucket/in/orders/*.csv", StreamName("", "orders", file=True, pattern=True)),
        (
            "s3://bucket/in/orders/2013/**/*.csv",
            StreamName("", "2013", file=True, pattern=True),
        ),
        ("data/orders.csv.gz", StreamName("", "orders.csv.gz", file=True)),
        ("data/orders.2013.csv", StreamName("", "orders.2013", file=True)),
        ("orders.JSON", StreamName("", "orders", file=True)),
        (r"C:\data\orders.xlsx", StreamName("", "orders", file=True)),
    ],
)
def test_stream_name(name: str, stream: StreamName) -> None:
    assert parse_stream(name) == stream


@pytest.mark.parametrize(
    ("name", "kind", "is_file"),
    [
        ('odd."a/b"', "postgres", False),
        ('odd."a.csv"', "oracle", False),
        ("odd.data.csv", "mysql", False),
        ("orders", "s3", True),
        ("file:///a/b.csv", "postgres", True),
        ("in/orders", "", True),
    ],
)
def test_the_type_of_connection_says_what_is_a_file(name: str, kind: str, is_file: bool) -> None:
    assert parse_stream(name, kind=kind).file is is_file


def test_names_of_mysql_stand_between_backticks() -> None:
    assert parse_stream("ops.`Order Lines`", kind="mysql") == StreamName("ops", "Order Lines")
    assert find_name_problem("ops.`Order Lines`", "mysql") is None
    assert find_name_problem('ops."Order Lines"', "mysql") == (
        "'ops.\"Order Lines\"' is a query to Sling: put its parts in `, as `my table`"
    )


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ('ops."Order Lines"', None),
        ("ops.order-lines", None),
        ("ops.Order Lines", "'ops.Order Lines' is a query to Sling: put its parts in"),
        ("ops.o'hare", "has a ', which Sling puts into its SQL as it is"),
        ("ops.orders(1)", "is a query to Sling"),
        ('ops."orders', 'has a " too many: Sling pairs them'),
    ],
)
def test_a_name_that_sling_takes_for_something_else(name: str, problem: str | None) -> None:
    found = find_name_problem(name, "postgres")
    assert problem in found if problem and found else found is problem


@pytest.mark.parametrize("name", ["delays/daily.csv", "delays"])
def test_a_querys_name_is_not_a_file(name: str) -> None:
    assert not parse_stream(name, is_query=True).file


@pytest.mark.parametrize(
    ("template", "name", "table"),
    [
        ("raw.flights", "ops.flights", TargetTable("raw", "flights")),
        ("erp.{stream_table}", "ops.flights", TargetTable("erp", "flights")),
        ("{stream_schema}.{stream_table}", "ops.flights", TargetTable("ops", "flights")),
        ("{source_name}.{stream_table_lower}", "ops.FLIGHTS", TargetTable("shop", "flights")),
        ("{stream_schema_upper}.t", "ops.x", TargetTable("OPS", "t")),
        ("landing.erp.{stream_table}", "ops.flights", TargetTable("erp", "flights", "landing")),
        ('erp."{stream_table}"', 'ops."FLIGHTS 2013"', TargetTable("erp", "FLIGHTS_2013")),
        ("erp.{stream_table}", 'ops."Flights 2013"', TargetTable("erp", "Flights_2013")),
        ("erp.{stream_table}", 'ops."2fa-codes"', TargetTable("erp", "_2fa_codes")),
        ("{stream_schema}.t", '"ops (old)".x', TargetTable("ops_old_", "t")),
        ("erp.{stream_file_name}", "s3://b/Orders 2013.csv", TargetTable("erp", "Orders_2013")),
        ("erp.{stream_file_name}", "s3://b/a.2013.csv.gz", TargetTable("erp", "a_2013_csv_gz")),
        ("erp.2013-x$", "a.b", TargetTable("erp", "2013-x$")),
        ("{target_name}.x", "a.b", TargetTable("snowflake", "x")),
    ],
)
def test_object_makes_a_table(template: str, name: str, table: TargetTable) -> None:
    assert resolve_object(template, parse_stream(name), "SHOP") == table


def test_an_unknown_variable_is_named_with_its_nearest() -> None:
    with pytest.raises(ObjectError) as error:
        resolve_object("erp.{stream_tabel}", parse_stream("a.b"), "shop")
    assert str(error.value) == "object: the variable {stream_tabel} is not known here"
    assert error.value.nearest == "{stream_table}"
    assert "{stream_file_name}" in error.value.allowed


def test_a_variable_of_the_runs_time_is_refused_for_an_asset_is_one_table() -> None:
    with pytest.raises(ObjectError, match=r"\{run_timestamp\} is not known here"):
        resolve_object("erp.x_{run_timestamp}", parse_stream("a.b"), "shop")


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{stream_schema}.{stream_table}", "flights"),
        ("erp.{stream_table}", "s3://bucket/orders.csv"),
        ("erp.{stream_file_name}", "ops.flights"),
    ],
)
def test_a_variable_without_a_value_asks_for_the_name(template: str, name: str) -> None:
    with pytest.raises(ObjectError, match="is empty for this stream: write the name"):
        resolve_object(template, parse_stream(name), "shop")


@pytest.mark.parametrize("template", ["flights", "a.b.c.d", "", "erp.{Table}", "erp."])
def test_an_object_that_is_not_a_table_is_refused(template: str) -> None:
    with pytest.raises(ObjectError, match=r"does not give schema\.table"):
        resolve_object(template, parse_stream("ops.flights"), "shop")


@pytest.mark.parametrize(
    ("template", "name", "message"),
    [
        (
            'erp."Orders"',
            "ops.x",
            "has names in quotes, which Snowflake would know in quotes alone",
        ),
        ('erp."{stream_table}"', "ops.x", "write them without"),
        ('"erp".x', "ops.x", "write them without"),
        ("erp.Order Lines", "ops.x", "'Order Lines' of 'erp.Order Lines' may hold letters, digits"),
        ("erp.x'y", "ops.x", "may hold letters, digits"),
        ('erp."A B"', "ops.x", "may hold letters, digits"),
        ("erp.[x]", "ops.x", "may hold letters, digits"),
        ('erp."X', "ops.x", "has names in quotes"),
        ("erp.{stream_file_name}", "s3://b/in/*.csv", "would be a table for each file"),
    ],
)
def test_an_object_of_which_sling_makes_another_table_is_refused(
    template: str, name: str, message: str
) -> None:
    with pytest.raises(ObjectError, match=re.escape(message)):
        resolve_object(template, parse_stream(name), "shop")

"""The lineage of columns, read from the SQL that dbt compiled."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from tests.factories.dbt.conftest import Project, materialized

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("dbt run")]

ORDERS, CUSTOMERS = "app/raw/orders", "app/raw/customers"
MODELS = {
    "stg_orders": "select * from {{ source('app', 'orders') }}",
    "renamed": "select o.id as order_id, o.amount paid from {{ ref('stg_orders') }} as o",
    "quoted": """select "ID" as "Id" from {{ ref('stg_orders') }}""",
    "joined": """
        select o.*, c.name
        from {{ source('app', 'orders') }} as o
        left join {{ source('app', 'customers') }} as c on c.id = o.customer
    """,
    "through_ctes": """
        with paid as (select id, amount as a from {{ source('app', 'orders') }} where amount > 0),
        doubled as (select id, a * 2 as twice from paid)
        select id, twice from doubled
    """,
    "united": """
        select id, name from {{ source('app', 'customers') }}
        union all
        select id, 'none' from {{ source('app', 'orders') }}
    """,
    "aggregated": """
        select customer, sum(amount) as total, count(*) as orders,
            max(iff(amount > 10, id, null)) as last_large
        from {{ source('app', 'orders') }} group by customer
    """,
    "computed": """
        select case when o.amount > 1 then c.name else upper(c.city) end as label,
            row_number() over (partition by o.customer order by o.id) as n,
            o.amount::varchar || '!' as text,
            1 as constant
        from {{ source('app', 'orders') }} o join {{ source('app', 'customers') }} c
            on o.customer = c.id
        qualify n = 1
    """,
    "windowed": """
        select * replace (amount * 2 as amount) from {{ source('app', 'orders') }}
    """,
    "through_ephemeral": "select id from {{ ref('hidden') }}",
    "hidden": """
        {{ config(materialized='ephemeral') }} select customer as id from {{ ref('stg_orders') }}
    """,
    "wide": (
        "select "
        + ", ".join(f"sum(amount + {n}) over (order by id) as c_{n}" for n in range(60))
        + " from {{ ref('stg_orders') }}"
    ),
    # The embedded warehouse knows it, the parser does not.
    "unparsed": """
        select [1, 2][1:] as list from {{ ref('stg_orders') }} positional join range(2) as r
    """,
}


@pytest.fixture(scope="module")
def built(shared_project: Project) -> dict[str, dict[str, Any]]:
    """The metadata of each model, by its key."""
    project = shared_project
    project.rows("create table RAW.{s}.orders as select 1 as id, 1 as customer, 10 as amount")
    project.rows("create table RAW.{s}.customers as select 1 as id, 'Ann' as name, 'Bern' as city")
    project.write(
        "models/sources.yml",
        """
        sources:
          - {name: app, database: RAW, schema: "{s}", tables: [{name: orders}, {name: customers}]}
        """,
    )
    for name, sql in MODELS.items():
        project.write(f"models/{name}.sql", sql)
    result = project.run()
    assert result.success, project.failure()
    return materialized(result)


def lineage(reported: dict[str, Any]) -> dict[str, set[tuple[str, str]]]:
    """The tables and columns that each column is made of."""
    found = reported.get("dagster/column_lineage")
    assert isinstance(found, dg.TableColumnLineage)
    return {
        column: {(dep.asset_key.to_user_string(), dep.column_name) for dep in deps}
        for column, deps in found.deps_by_column.items()
    }


def of_orders(**columns: str) -> dict[str, set[tuple[str, str]]]:
    return {name: {(ORDERS, column) for column in text.split()} for name, text in columns.items()}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("stg_orders", of_orders(ID="ID", CUSTOMER="CUSTOMER", AMOUNT="AMOUNT")),
        ("renamed", {"ORDER_ID": {("stg_orders", "ID")}, "PAID": {("stg_orders", "AMOUNT")}}),
        ("quoted", {"Id": {("stg_orders", "ID")}}),
        (
            "joined",
            of_orders(ID="ID", CUSTOMER="CUSTOMER", AMOUNT="AMOUNT")
            | {"NAME": {(CUSTOMERS, "NAME")}},
        ),
        ("through_ctes", of_orders(ID="ID", TWICE="AMOUNT")),
        ("united", {"ID": {(CUSTOMERS, "ID"), (ORDERS, "ID")}, "NAME": {(CUSTOMERS, "NAME")}}),
        (
            "aggregated",
            of_orders(CUSTOMER="CUSTOMER", TOTAL="AMOUNT", LAST_LARGE="AMOUNT ID"),
        ),
        (
            "computed",
            {"LABEL": {(ORDERS, "AMOUNT"), (CUSTOMERS, "NAME"), (CUSTOMERS, "CITY")}}
            | of_orders(N="CUSTOMER ID", TEXT="AMOUNT"),
        ),
        ("windowed", of_orders(ID="ID", CUSTOMER="CUSTOMER", AMOUNT="AMOUNT")),
        ("through_ephemeral", {"ID": {("stg_orders", "CUSTOMER")}}),
    ],
)
def test_columns_depend_on(
    built: dict[str, dict[str, Any]], model: str, expected: dict[str, set[tuple[str, str]]]
) -> None:
    assert lineage(built[model]) == expected


def test_wide_model_has_the_lineage_of_all_its_columns(
    built: dict[str, dict[str, Any]],
) -> None:
    assert set(lineage(built["wide"])) == {f"C_{n}" for n in range(60)}


def test_sql_that_the_parser_does_not_know_has_none(built: dict[str, dict[str, Any]]) -> None:
    assert "dagster/column_lineage" not in built["unparsed"]
    assert built["unparsed"]["dbt/compiled_sql"]

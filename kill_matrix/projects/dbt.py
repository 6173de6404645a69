"""A dbt project with an incremental model, a table and a snapshot."""

from __future__ import annotations

from kill_matrix.projects.project import LATCHES, ORDER_COLUMNS, REACHED, UPDATE, Project, Work

HOOKS = (
    f"pre_hook=['{REACHED}', '{UPDATE.format(latch='BEFORE')}'],"
    f" post_hook=['{REACHED}', '{UPDATE.format(latch='AFTER')}']"
)
ORDERS = "select id, version, changed_at, amount from {{ source('shop', 'orders') }}"
PROFILE = """\
shop:
  target: warehouse
  outputs:
    warehouse:
      type: snowflake
      account: "{{ env_var('SNOWFLAKE_ACCOUNT') }}"
      user: "{{ env_var('SNOWFLAKE_USER') }}"
      password: "{{ env_var('DBT_ENV_SECRET_SNOWFLAKE_PASSWORD', '') }}"
      host: "{{ env_var('SNOWFLAKE_HOST', '') }}"
      port: "{{ env_var('SNOWFLAKE_PORT', '443') | as_number }}"
      protocol: "{{ env_var('SNOWFLAKE_PROTOCOL', 'https') }}"
      database: ANALYTICS
      schema: MARTS
      threads: 2
"""
PROJECT_FILE = """\
name: shop
version: "1.0"
profile: shop
flags: {send_anonymous_usage_stats: false}
"""
SOURCES = """\
sources:
  - {name: shop, database: RAW, schema: SHOP, tables: [{name: orders}]}
"""
INCREMENTAL = f"""\
{{{{ config(materialized='incremental', unique_key='id', {HOOKS}) }}}}
{ORDERS}
{{% if is_incremental() %}}
where changed_at > (select max(changed_at) from {{{{ this }}}})
{{% endif %}}
"""
TABLE = f"{{{{ config(materialized='table', {HOOKS}) }}}}\n{ORDERS}\n"
SNAPSHOT = f"""\
{{% snapshot history %}}
{{{{ config(unique_key='id', strategy='timestamp', updated_at='changed_at', schema='MARTS',
    {HOOKS}) }}}}
{ORDERS}
{{% endsnapshot %}}
"""
NUMBERS = (
    "(select row_number() over (order by null) as i from table(generator(rowcount => {rows})))"
)
INSERT = """
    insert into RAW.SHOP.ORDERS
    select i + {above}, {version},
        dateadd('second', i + {above}, '{day}'::timestamp_ntz), mod(i, 97) * 1.25
    from """
PROJECT = Project(
    tool="dbt",
    environment="transformation",
    definitions='dbt="shop"',
    files={
        "shop/dbt_project.yml": PROJECT_FILE,
        "shop/profiles.yml": PROFILE,
        "shop/models/marts/sources.yml": SOURCES,
        "shop/models/marts/latest.sql": INCREMENTAL,
        "shop/models/marts/whole.sql": TABLE,
        "shop/snapshots/history.sql": SNAPSHOT,
    },
    works=[
        Work("incremental model", "marts/latest", "ANALYTICS.MARTS.LATEST"),
        Work("table", "marts/whole", "ANALYTICS.MARTS.WHOLE"),
        Work(
            "snapshot",
            "snapshots/history",
            "ANALYTICS.MARTS_MARTS.HISTORY",
            (*ORDER_COLUMNS, "dbt_valid_from", "dbt_valid_to"),
        ),
    ],
    warehouse=[
        *LATCHES,
        "create schema if not exists RAW.SHOP",
        """
        create or replace table RAW.SHOP.ORDERS
        (id integer, version integer, changed_at timestamp_ntz, amount number(10, 2))
        """,
        INSERT.format(above=0, version=1, day="2024-01-01") + NUMBERS.format(rows=2000),
    ],
    warehouse_changes=[
        INSERT.format(above=2000, version=2, day="2024-02-01") + NUMBERS.format(rows=1000),
        """
        update RAW.SHOP.ORDERS
        set version = 2, changed_at = dateadd('second', id, '2024-02-02'::timestamp_ntz)
        where id <= 2000 and mod(id, 7) = 0
        """,
        "delete from RAW.GATE.REACHED",
    ],
)

"""A dbt project with one of everything."""

from __future__ import annotations

SHOP = {
    "dbt_project.yml": """
        name: shop
        version: "1.0"
        profile: shop
        models:
          shop:
            staging: {+materialized: view}
            marts: {+materialized: table, +tags: [nightly, "team a"]}
            ledger: {+group: finance, +contract: {enforced: true}}
          tools:
            +meta: {dagster: {owners: ["team:tools"]}}
    """,
    "packages.yml": "packages: [{local: ../tools}]\n",
    "../tools/dbt_project.yml": "name: tools\nversion: '1.0'\nprofile: tools\n",
    "../tools/models/calendar.sql": "select 1 as day\n",
    "../tools/models/calendar.yml": """
        models:
          - name: calendar
            description: Every day.
            config: {meta: {dagster: {group: not_ours}}}
            columns: [{name: day, data_tests: [unique]}]
    """,
    "models/staging/shop/_shop.yml": """
        sources:
          - name: shop
            database: RAW
            tables:
              - name: orders
                config:
                  loaded_at_field: updated_at
                  freshness:
                    warn_after: {count: 12, period: hour}
                    error_after: {count: 1, period: day}
                columns:
                  - name: id
                    data_tests:
                      - not_null
                      - relationships: {arguments: {to: ref('totals'), field: id}}
              - name: items
          - name: Exchange Rates
            config: {meta: {dagster: {owners: ["team:finance"]}}}
            tables:
              - {name: Daily, description: From the bank.}
              - name: scores
                config: {meta: {dagster: {asset_key: ml/shop/scores}}}
        models:
          - name: stg_shop__orders
            description: One row per order.
            columns:
              - name: id
                description: The key.
                data_tests: [unique, not_null: {config: {severity: warn}}]
    """,
    "models/staging/shop/stg_shop__orders.sql": "select * from {{ source('shop', 'orders') }}\n",
    "models/staging/shop/stg_items.sql": "select * from {{ source('shop', 'items') }}\n",
    "models/marts/sales/lines.sql": """
        {{ config(materialized='ephemeral') }}
        select * from {{ ref('stg_items') }} join {{ ref('stg_shop__orders') }} using (id)
    """,
    "models/marts/sales/_sales.yml": """
        models:
          - name: lines
            columns: [{name: id, data_tests: [not_null]}]
          - name: totals
            latest_version: 2
            config: {meta: {dagster: {owners: ["team:sales"]}}}
            columns: [{name: id, data_tests: [unique]}]
            versions:
              - v: 1
                config: {meta: {dagster: {group: retired}}}
              - v: 2
          - name: resting
            config: {enabled: false}
            columns: [{name: id, data_tests: [unique]}]
          - name: report
            config:
              meta:
                dagster:
                  asset_key: reports/sales/daily
                  description: Ours, not dbt's.
                  kinds: [excel]
                  tags: {nightly: "no"}
                  deps: [files/src/targets]
                  automation_condition: on_upstream_change
                  freshness: {fail_after: 36h}
                  checks: {rows: {min: 1}, columns: {unique: [day]}, blocking: false}
            columns:
              - name: day
                data_tests: [not_null, unique: {name: unique_day}]
        unit_tests:
          - name: totals_add_up
            model: totals
            versions: {include: [2]}
            given: [{input: ref('lines'), rows: [{id: 1}]}]
            expect: {rows: [{id: 1}]}
    """,
    "models/marts/sales/totals_v1.sql": "select id from {{ ref('lines') }}\n",
    "models/marts/sales/totals_v2.sql": "select {{ cents('id') }} as id from {{ ref('lines') }}\n",
    "models/marts/sales/resting.sql": "select 1 as id\n",
    "models/marts/sales/report.sql": """
        select r.day from {{ ref('totals') }} join {{ source('Exchange Rates', 'Daily') }} r
            join {{ source('Exchange Rates', 'scores') }} join {{ ref('tools', 'calendar') }}
    """,
    "models/marts/sales/forecast.py": """
        def model(dbt, session):
            dbt.config(materialized="table", meta={"dagster": {"group": "ml"}})
            return dbt.ref("report")
    """,
    "models/ledger/_ledger.yml": """
        groups:
          - {name: finance, owner: {name: Finance, email: [books@example.com, x]}}
          - {name: sales, owner: {name: Sales People}}
        models:
          - name: balances
            columns:
              - {name: day, data_type: date, constraints: [{type: not_null}], description: Its day.}
              - {name: total, data_type: number, constraints: [{type: check, expression: a > 0}]}
          - name: accounts
            config: {group: sales, contract: {enforced: false}}
    """,
    "models/ledger/balances.sql": "select current_date as day, 1 as total\n",
    "models/ledger/accounts.sql": "select 1 as id\n",
    "seeds/finance/rates.csv": "currency,rate\nEUR,1\n",
    "seeds/_seeds.yml": """
        seeds:
          - name: rates
            columns: [{name: currency, data_tests: [unique]}]
    """,
    "snapshots/_snapshots.yml": """
        snapshots:
          - name: rates_history
            relation: ref('rates')
            config: {unique_key: currency, strategy: check, check_cols: all}
    """,
    "snapshots/old.sql": """
        {% snapshot orders_history %}
        {{ config(unique_key='id', strategy='check', check_cols='all') }}
        select * from {{ ref('stg_shop__orders') }}
        {% endsnapshot %}
        {% snapshot items_history %}
        {{ config(
            unique_key='id', strategy='check', check_cols='all',
            meta={'dagster': {'group': 'history'}},
        ) }}
        select * from {{ ref('stg_items') }}
        {% endsnapshot %}
    """,
    "macros/cents.sql": "{% macro cents(x) %}{{ half(x) }} * 100{% endmacro %}\n",
    "macros/half.sql": "{% macro half(x) %}({{ x }} / 2){% endmacro %}\n",
    "tests/orders_have_items.sql": """
        select * from {{ ref('stg_shop__orders') }}
        join {{ ref('totals') }} using (id) join {{ source('shop', 'items') }} using (id)
    """,
    "analyses/idea.sql": "select * from {{ ref('report') }}\n",
    "models/exposures.yml": """
        exposures:
          - {name: board, type: dashboard, owner: {name: Ana}, depends_on: [ref('report')]}
    """,
}

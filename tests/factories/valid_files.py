"""One valid project for every tool, small, with most keys: what wrong files are made of."""

from __future__ import annotations

from collections.abc import Mapping

DAGSTER = """{dagster: {automation_condition: on_cron_no_deps, automation_condition_config: {
      cron_schedule: "0 5 * * *", cron_timezone: Europe/Berlin}, group: shop, owners: ["team:a",
      b@example.com], tags: {domain: sales}, kinds: [postgres], deps: [x/raw/y], pool: shop_db,
      freshness: {fail_after: 36h, warn_after: 26h}, retries: {max: 3, delay: 30s, backoff:
      exponential, jitter: full}, checks: {rows: {min: 1, max: 9, change: {min: -20%, runs:
      3}}, columns: {not_null: [id], unique: [[id, day], {column: id, severity: warn}],
      accepted_values: {id: [1, a, true]}, relationships: {id: {to: x/raw/y, field: id}},
      freshness: {at: {max_age: 36h, timezone: Europe/Berlin}}}, schema: [unchanged,
      {expect: no_removed_columns, blocking: false}], sql: {late: a >= b, mean: {value: avg(a),
      max: 3}}, blocking: true}}}"""
SLING = {
    "sling/connections.yaml": """
connections:
  shop: {type: postgres, host: db.example.com, port: 5432, user: u, password: "${SHOP_URL}"}
  files: "sftp://u:p@files.example.com/in"
""",
    "sling/shop.yaml": f"""
source: shop
target: SNOWFLAKE
env: {{SLING_SAMPLE_SIZE: 900}}
defaults:
  mode: full-refresh
  object: shop.{{stream_table}}
  source_options: &options {{empty_as_null: true, limit: 10}}
  meta: {DAGSTER}
streams:
  public.orders:
    mode: incremental
    primary_key: [id]
    update_key: updated_at
    columns: {{id: bigint}}
    target_options: {{column_casing: snake, add_new_columns: true}}
    meta: {{dagster: {{partition: {{type: daily, start: "2024-01-01", end: "2024-02-01"}},
      freshness: {{cron: "0 8 * * *", timezone: Europe/Berlin, per_partition: true}}}}}}
  public.items:
    source_options: {{<<: *options, null_if: x}}
    meta: {{dagster: {{data_version: content}}}}
  big: {{sql: select 1 as id, description: Big ones., tags: [a], meta: {{dagster: {{
    automation_condition: manual_only, partition: null, asset_key: shop/raw/big}}}}}}
""",
}
DLT = {
    "dlt_pipelines/api.yaml": f"""
pipeline: api
dataset: api
config: {{load: {{workers: 2}}}}
source:
  rest_api:
    client: {{base_url: "http://127.0.0.1:9", auth: {{type: http_basic, username: u,
      password: "${{SHOP_URL}}"}}, paginator: {{type: cursor, cursor_path: next, cursor_param: c}}}}
    resources:
      - name: days
        endpoint: {{path: days, params: {{size: 10}}, data_selector: data}}
      - {{name: users, endpoint: users}}
defaults: {{meta: {DAGSTER}}}
resources:
  days:
    write_disposition: {{disposition: merge, strategy: delete-insert}}
    primary_key: [id]
    incremental: {{cursor_path: at, initial_value: "2024-01-01", start_param: since}}
    columns: {{at: {{data_type: timestamp}}}}
    schema_contract: {{columns: freeze}}
    max_table_nesting: 1
  users: {{write_disposition: append, table_name: people}}
""",
    "dlt_pipelines/days.py": """
import dlt

@dlt.resource
def days(year: int = 2024):
    yield {"day": year}
""",
    "dlt_pipelines/calendar.yaml": """
pipeline: calendar
dataset: calendar
source: {python: "days:days", args: {year: 2025}}
resources:
  days: {write_disposition: {disposition: merge, strategy: scd2}}
""",
    "dlt_pipelines/base.yaml": """
pipeline: base
dataset: base
source:
  sql_database: {credentials: "${SHOP_URL}", schema: public, backend: pyarrow}
resources:
  orders: {write_disposition: replace}
""",
    "dlt_pipelines/files.yaml": """
pipeline: files
dataset: files
source:
  filesystem:
    bucket_url: /nowhere
    resources: [{name: rates, file_glob: "*.csv", reader: read_csv}]
resources:
  rates:
""",
}
SNOWPARK = {
    "snowpark/delay.py": """
def features(session, inputs):
    return inputs["flights"]

def train(training_data, params):
    return None

def predict(model, features):
    return []
""",
    "snowpark/area.yaml": f"""
defaults: {{runs_in: snowflake, packages: [numpy], meta: {{dagster: {{owners: ["team:a"]}}}}}}
features:
  - name: rides
    function: delay:features
    inputs: {{flights: marts/ops/flights, days: {{asset: a/raw/days, table: RAW.A.DAYS,
      whole: true}}}}
    output: {{table: ML.A.RIDES, mode: merge, keys: [id]}}
    meta: {DAGSTER}
models:
  - name: late
    features: rides
    target: is_late
    function: delay:train
    split: {{by: day, train_until: "2013-03-01", validate_until: "2013-03-20"}}
    params: {{columns: [hour, rain]}}
    metrics: {{roc_auc: maximize, brier: minimize}}
    promote: {{metric: roc_auc, at_least: 0.6}}
scores:
  - name: guesses
    model: late
    function: delay:predict
    output: {{table: ML.A.GUESSES, keys: [id], column: probability}}
tables:
  - {{name: totals, sql: "select * from {{rides}}", inputs: {{rides: ml/area/rides}}, output: {{
      table: ML.A.TOTALS}}, description: All.}}
""",
}
AUTOMATION = {
    "shop/automation.yaml": """
jobs:
  load: {selection: "group:shop and not key:shop/raw/orders", description: Loads.,
    tags: {a: b}, run_config: {}}
schedules:
  nightly: {cron: "0 5 * * *", timezone: Europe/Berlin, job: load, environments: [prod, dev],
    enabled: false, tags: {a: "b c"}}
sensors:
  files: {type: files, path: "s3://in/*.csv", storage_options: {key: "${SHOP_URL}", anon: false},
    ready_suffix: .done, files_per_tick: 9, job: load, tags: {file: "{name}"}}
  updates: {type: asset_update, assets: [other/raw/x, shop/raw/big], when: all, job: load,
    minimum_interval: 2m}
  ended: {type: run_status, jobs: [other/job], status: failure, job: load}
  changed: {type: sql, query: "select 1 from {x}", tables: {x: RAW.SHOP.ORDERS},
    selection: shop/raw/big}
  events: {type: webhook_queue, table: RAW.HOOKS.EVENTS, id_column: n, rows_per_tick: 5,
    selection: shop/raw/big, tags: {kind: "{payload.kind}"}}
""",
}
DBT = {
    "dbt/dbt_project.yml": f"""
name: shop
version: "1.0"
profile: shop
model-paths: [models]
packages-install-path: dbt_packages
models:
  +materialized: view
  shop:
    marts: {{+tags: [a], +meta: {DAGSTER}}}
sources: {{shop: {{+enabled: true}}}}
""",
    "dbt/packages.yml": "packages: [{local: ../tools}]\n",
    "dbt/profiles.yml": """
shop:
  target: t
  outputs:
    t: {type: snowflake, account: a, user: u, password: p, database: D, schema: S}
""",
    "dbt/models/shop.yml": f"""
sources:
  - name: raw
    database: RAW
    config: {{meta: {{dagster: {{asset_key: shop/raw/orders}}}}}}
    tables:
      - {{name: orders, columns: [{{name: id, data_tests: [unique]}}]}}
models:
  - name: orders
    description: Orders.
    config:
      meta: {DAGSTER}
    columns: [{{name: id, data_tests: [not_null, {{accepted_values: {{values: [1, 2]}}}}]}}]
    latest_version: 1
    versions: [{{v: 1, config: {{meta: {{dagster: {{group: old}}}}}}}}]
exposures: [{{name: board, type: dashboard, owner: {{name: ana}}, depends_on: []}}]
""",
}
ALERTS = {
    "alerts.yaml": """
base_url: https://dagster.example.com
remind_every: 12h
watch: platform
silent_after: 5m
routes:
  team:
    to: ["${SHOP_URL}", "${NOT_THERE}"]
    owners: ["team:a", b@example.com]
    assets: group:shop or key:"shop/*"
    code_locations: [ingestion]
    targets: [prod, dev]
    severity: error
    events: [run_failed, asset_recovered]
    remind_every: 2h
  rest: {to: "${SHOP_URL}", fallback: true}
"""
}
PROJECTS: Mapping[str, Mapping[str, str]] = {
    "alerts": ALERTS,
    "sling": SLING,
    "dlt": DLT,
    "snowpark": SNOWPARK,
    "automation": AUTOMATION,
    "dbt": DBT,
}

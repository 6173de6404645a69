"""A replication with a stream of each kind, from views of the sample PostgreSQL."""

from __future__ import annotations

from kill_matrix.projects.project import (
    SOURCE_FIRST,
    SOURCE_SECOND,
    SOURCE_TABLE,
    UPDATE,
    Project,
    Work,
)

REPLICATION = f"""\
source: shop
target: SNOWFLAKE
defaults:
  object: shop.{{stream_table}}
  target_options:
    pre_sql: "{UPDATE.format(latch="BEFORE")}"
    post_sql: "{UPDATE.format(latch="AFTER")}"
streams:
  shop.merged: {{mode: incremental, primary_key: [id], update_key: changed_at}}
  shop.replaced: {{mode: full-refresh}}
  shop.appended: {{mode: incremental, update_key: changed_at}}
"""
WORKS = {
    "incremental merge": "merged",
    "full-refresh": "replaced",
    "incremental without a key (appends)": "appended",
}
PROJECT = Project(
    tool="Sling",
    environment="ingestion",
    definitions='sling="sling"',
    files={
        "sling/connections.yaml": (
            'connections:\n  shop: {type: postgres, url: "${FLIGHT_OPS_URL}"}\n'
        ),
        "sling/shop.yaml": REPLICATION,
    },
    works=[
        Work(name, f"shop/raw/{table}", f"RAW.SHOP.{table.upper()}")
        for name, table in WORKS.items()
    ],
    source=[
        *SOURCE_TABLE,
        *(
            f"create view shop.{view} as select * from shop.orders where shop.gate(id)"
            for view in WORKS.values()
        ),
        SOURCE_FIRST,
    ],
    source_changes=SOURCE_SECOND,
)

"""The sections of the reference, in order."""

from __future__ import annotations

from factories.cli.reference.alerts_sections import ALERTS_SECTIONS
from factories.cli.reference.automation_sections import AUTOMATION_SECTIONS
from factories.cli.reference.checks_sections import CHECKS_SECTIONS
from factories.cli.reference.dlt_sections import DLT_SECTIONS
from factories.cli.reference.section import Section
from factories.cli.reference.snowpark_sections import SNOWPARK_SECTIONS
from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.meta.freshness import FreshnessSpec
from factories.core.meta.partitions import PartitionSpec
from factories.core.meta.retries import RetrySpec
from factories.sling.schema import (
    CONNECTION_TYPES,
    ConnectionsFile,
    ReplicationFile,
    SlingStream,
    SourceOptions,
    TargetOptions,
)

SECTIONS = (
    Section(
        "Connections",
        ConnectionsFile,
        f"A connection's `type` is one of {', '.join(CONNECTION_TYPES)}.",
        """\
connections:
  flight_ops: {type: postgres, url: "${FLIGHT_OPS_URL}"}
""",
        types={"connections": "mapping of names to a URL or a mapping of properties"},
    ),
    Section(
        "Replications",
        ReplicationFile,
        "Every file in `sling/` except `connections.yaml` is one. It makes an asset"
        " `<source>/raw/<table>` for each stream.",
        """\
source: flight_ops
target: SNOWFLAKE
defaults:
  mode: full-refresh
  object: flight_ops.{stream_table}
streams:
  ops.airlines:
  ops.flights: {mode: incremental, primary_key: [flight_id], update_key: updated_at}
""",
        types={
            "defaults": "the keys of [a stream](#a-stream)",
            "streams": "mapping of names to [streams](#a-stream); may be empty",
        },
    ),
    Section(
        "A stream",
        SlingStream,
        "Valid on each stream and under `defaults`. The stream's own value wins; `source_options`"
        " and `target_options` are merged key by key. `object` must be given in one of the two"
        " places. `incremental` needs `primary_key`, `update_key` or both; `backfill` needs both,"
        " and a `range` or a partition.",
        level=3,
        types={"meta": "mapping with the key `dagster`: [`meta.dagster`](#metadagster)"},
    ),
    Section("`source_options`", SourceOptions, level=3),
    Section("`target_options`", TargetOptions, level=3),
    *DLT_SECTIONS,
    *SNOWPARK_SECTIONS,
    *AUTOMATION_SECTIONS,
    Section(
        "`meta.dagster`",
        DagsterMeta,
        "Valid in a file's `defaults` and on each stream or resource; the more specific wins, key"
        " by key. `tags`, `retries`, `checks` and `automation_condition_config` are merged key by"
        " key themselves; any other value is replaced whole.",
        """\
automation_condition: on_cron_no_deps
automation_condition_config: {cron_schedule: "0 5 * * *", cron_timezone: America/New_York}
group: flight_ops
description: One row per departure from New York that was scheduled.
owners: ["team:flight-ops", ana@example.com]
tags: {domain: operations, pii: "false"}
deps: [weather_api/raw/observations]
partition: {type: daily, start: 2013-01-01}
freshness: {fail_after: 36h, warn_after: 26h}
retries: {max: 3, delay: 30s, backoff: exponential, jitter: full}
checks:
  rows: {min: 1}
  columns: {not_null: [flight_id], unique: [flight_id]}
  schema: no_removed_columns
""",
        types={
            "automation_condition": "the name of an [automation condition](#automation-conditions)",
            "automation_condition_config": "mapping: see the"
            " [automation condition](#automation-conditions)",
        },
    ),
    Section(
        "`partition`",
        PartitionSpec,
        "Partitions by time need `start`; `static` ones need `keys`. A run loads the rows with"
        " start ≤ `column` < end. `column` is by default the stream's `update_key`; a dlt"
        " resource's is the `cursor_path` of its `incremental`. What Snowpark makes needs it.",
        "{type: monthly, start: 2013-01-01, timezone: America/New_York, column: sched_dep_time}\n",
        level=3,
    ),
    Section(
        "`freshness`",
        FreshnessSpec,
        example='{cron: "0 8 * * *", within: 3h, timezone: America/New_York}\n',
        level=3,
    ),
    Section(
        "`retries`",
        RetrySpec,
        "Only the streams or resources that failed are tried again.",
        "{max: 2, delay: 30s, backoff: exponential, jitter: full}\n",
        level=3,
    ),
    *CHECKS_SECTIONS,
    *ALERTS_SECTIONS,
)

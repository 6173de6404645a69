"""What the reference says of the `checks` block."""

from __future__ import annotations

from factories.cli.reference.section import Section
from factories.core.meta.check_columns import (
    AcceptedValuesCheck,
    ColumnFreshnessCheck,
    ColumnsCheck,
    NotNullCheck,
    RelationshipCheck,
    UniqueCheck,
)
from factories.core.meta.check_options import CheckOptions
from factories.core.meta.check_schema import (
    ChecksSpec,
    RowsChange,
    RowsCheck,
    SchemaCheck,
    SqlCheck,
)

CHECKS_SECTIONS = (
    Section(
        "`checks`",
        ChecksSpec,
        "[What each check asks for, and what comes of it](../guides/checks.md). Wherever a check"
        " has a short form, the mapping that this page describes takes its place.",
        """\
rows: {min: 1, change: {min: -20%, max: 50%}}
columns:
  not_null: [flight_id, {column: tailnum, severity: warn}]
  unique: flight_id
  accepted_values: {origin: [EWR, JFK, LGA]}
  relationships: {carrier: flight_ops/raw/airlines}
  freshness: {updated_at: 36h}
schema: no_removed_columns
sql:
  arrives_after_departure: arrival >= departure
  mean_delay: {value: avg(delay), min: -30, max: 60, severity: warn}
""",
        level=3,
        types={
            "schema": "rule, [mapping](#checksschema), or list of them",
            "sql": "mapping of names to a condition, or to [mappings](#checkssql)",
        },
    ),
    Section(
        "A check",
        CheckOptions,
        "These keys stand in the mapping of any check.",
        "{severity: warn}\n",
        level=3,
    ),
    Section(
        "`checks.rows`",
        RowsCheck,
        "Give `min`, `max`, `change`, or several of them.",
        level=3,
        without=CheckOptions,
    ),
    Section(
        "`checks.rows.change`",
        RowsChange,
        level=3,
        without=CheckOptions,
        types={"min": "percentage", "max": "percentage"},
    ),
    Section(
        "`checks.columns`",
        ColumnsCheck,
        level=3,
        types={
            "not_null": "column, [mapping](#checkscolumnsnot_null), or list of them",
            "unique": "column, [mapping](#checkscolumnsunique), or list of them; a list in the"
            " list is a combination of columns",
            "accepted_values": "mapping of columns to a list of values, or to"
            " [mappings](#checkscolumnsaccepted_values)",
            "relationships": "mapping of columns to an asset key, or to"
            " [mappings](#checkscolumnsrelationships)",
            "freshness": "mapping of columns to a duration, or to"
            " [mappings](#checkscolumnsfreshness)",
        },
    ),
    Section("`checks.columns.not_null`", NotNullCheck, level=3, without=CheckOptions),
    Section("`checks.columns.unique`", UniqueCheck, level=3, without=CheckOptions),
    Section(
        "`checks.columns.accepted_values`",
        AcceptedValuesCheck,
        level=3,
        without=CheckOptions,
        types={"values": "value, or list of values"},
    ),
    Section("`checks.columns.relationships`", RelationshipCheck, level=3, without=CheckOptions),
    Section("`checks.columns.freshness`", ColumnFreshnessCheck, level=3, without=CheckOptions),
    Section("`checks.schema`", SchemaCheck, level=3, without=CheckOptions),
    Section(
        "`checks.sql`",
        SqlCheck,
        "Give either `condition` or `value`.",
        level=3,
        without=CheckOptions,
        types={"min": "number", "max": "number"},
    ),
)

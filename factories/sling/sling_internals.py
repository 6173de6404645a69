"""The names of dagster-sling that its package does not export and that are needed, in one place.

A test names each of them, so that an upgrade of dagster-sling that moves one fails by its name.
"""

from __future__ import annotations

# How `@sling_assets` keeps its arguments in the metadata of each asset, and reads streams of them.
from dagster_sling.asset_decorator import (
    METADATA_KEY_REPLICATION_CONFIG,
    METADATA_KEY_TRANSLATOR,
    get_streams_from_replication,
    streams_with_default_dagster_meta,
)

# What `SlingResource.replicate` returns, and the keys under which its event iterator reads what
# `SlingResource.get_column_info_for_table` returns.
from dagster_sling.sling_event_iterator import (
    COLUMN_NAME_COL,
    COLUMN_TYPE_COL,
    SlingEventIterator,
    SlingEventType,
)
from dagster_sling.sling_replication import validate_replication

__all__ = [
    "COLUMN_NAME_COL",
    "COLUMN_TYPE_COL",
    "METADATA_KEY_REPLICATION_CONFIG",
    "METADATA_KEY_TRANSLATOR",
    "SlingEventIterator",
    "SlingEventType",
    "get_streams_from_replication",
    "streams_with_default_dagster_meta",
    "validate_replication",
]

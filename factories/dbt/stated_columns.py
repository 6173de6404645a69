"""Columns that no SQL tells: of sources and seeds, by their files, and those that dbt adds."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ON_SCHEMA_CHANGE = {"append_new_columns": "kept", "sync_all_columns": "gone"}
Node = Any  # dbt's, of its manifest


def source_columns(source: Node) -> Iterator[str]:
    """Yield the columns that YAML declares of a source."""
    for column in source.columns.values():
        yield _stored(column.name, quoted=bool(column.quote))


def when_lost(node: Node) -> str:
    """Return what becomes of a column in a node's table that its SQL has no more."""
    if node.resource_type == "snapshot":
        return "kept"
    if node.config.materialized == "incremental":
        return ON_SCHEMA_CHANGE.get(node.config.on_schema_change, "fails")
    return "gone"


def snapshot_columns(node: Node) -> Iterator[str]:
    """Yield the columns that dbt adds to a snapshot."""
    config = node.config
    for name, given in config.snapshot_table_column_names.items():
        if name != "dbt_is_deleted" or config.get("hard_deletes") == "new_record":
            yield given.upper()


def seed_columns(node: Node, folder: Path) -> list[str]:
    """Return the columns of a seed, by the first line of its file in a project's folder."""
    path = folder / node.original_file_path
    with path.open(encoding="utf-8-sig", newline="") as text:
        header = next(csv.reader(text, delimiter=node.config.delimiter or ","), [])
    return [_stored(name, quoted=bool(node.config.quote_columns)) for name in header]


def _stored(name: str, *, quoted: bool) -> str:
    """Return a column's name as Snowflake stores it."""
    return name if quoted else name.upper()

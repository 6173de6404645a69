"""The metadata of a materialization: what was built, its table, columns and rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from factories.core.execution.table_reader import COLUMN_SCHEMA, QueryFailedError, TableReader
from factories.core.warehouse.names import Relation
from factories.core.warehouse.quoting import sql_identifier
from factories.dbt.execution.column_lineage import ColumnLineage
from factories.dbt.execution.events import NodeResult
from factories.dbt.project.manifest import Node
from factories.dbt.project.project import Model

BYTES_SQL = """
    select bytes from {database}.information_schema.tables
    where table_schema = %s and table_name = %s
"""
# Statements that return the number of changed rows; `create table` always returns 1.
CHANGES_ROWS = re.compile(r"(?im)^\s*((merge|insert)\s+into|delete\s+from)\b")
# The strategies of one statement whose answer is all that has changed; None is the adapter's own.
TELLING = (None, "merge", "append", "delete+insert")
CREATES = re.compile(r"(?im)^\s*create\b")


@dataclass(frozen=True)
class Describer:
    """Describes what was built.

    Attributes:
        context: Dagster's.
        reader: Looks at tables.
        lineage: Reads the columns' lineage.
        target: Where dbt writes its artifacts.
        row_counts: Whether to count the rows of tables.
    """

    context: Any
    reader: TableReader
    lineage: ColumnLineage
    target: Path
    row_counts: bool

    def metadata(
        self, model: Model, result: NodeResult, columns: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return the metadata of a built node, whose columns the caller has read.

        The table is built: when it cannot be read afterwards, that is a warning and no failure.
        """
        metadata: dict[str, Any] = {
            "seconds": round(result.seconds, 3),
            "dbt/materialized": model.node.materialized,
        }
        if result.rows is not None and _changed_rows(model, self.target):
            metadata["rows_loaded"] = result.rows
        compiled = artifact("compiled", model.node, self.target)
        if compiled:
            metadata["dbt/compiled_sql"] = dg.MetadataValue.md(f"```sql\n{compiled.strip()}\n```")
        if model.relation is None:
            return metadata
        try:
            metadata |= _table_metadata(
                model, model.relation, self.reader, columns, row_counts=self.row_counts
            )
            if found := self.lineage.of(model.node, compiled):
                metadata["dagster/column_lineage"] = found
        except QueryFailedError as error:
            self.context.log.warning("%s is built but cannot be read: %s", model.node.name, error)
        return metadata

    def wrote_nothing(self, model: Model, result: NodeResult) -> bool:
        """Tell whether a table is as it was: dbt's one statement on it has changed no row.

        What else a strategy or a hook does, dbt does not tell. Of a snapshot that is there it
        merges what has changed, and writes no statement to look at.
        """
        node = model.node
        by_sql = not node.path.endswith(".py")
        if node.has_hooks or not by_sql or result.rows != 0:
            return False
        if node.kind == "snapshot":
            return True
        adds = node.materialized == "incremental" and node.strategy in TELLING
        return node.kind == "model" and adds and _changed_rows(model, self.target)

    def columns(self, model: Model) -> dict[str, str]:
        """Return the columns of what was built; none when they cannot be read."""
        try:
            return self.reader.columns(model.relation) if model.relation else {}
        except QueryFailedError:
            return {}  # each check reports what it misses


def _table_metadata(
    model: Model,
    relation: Relation,
    reader: TableReader,
    columns: Mapping[str, str],
    *,
    row_counts: bool,
) -> dict[str, Any]:
    described = {name.lower(): text for name, text in model.node.columns.items()}
    metadata: dict[str, Any] = {
        "dagster/table_name": str(relation),
        COLUMN_SCHEMA: dg.TableSchema(
            [
                dg.TableColumn(name, kind, description=described.get(name.lower()) or None)
                for name, kind in columns.items()
            ]
        ),
    }
    if row_counts and model.node.materialized != "view":  # a count would run its query
        metadata["dagster/row_count"] = reader.row_count(relation)
    sql = BYTES_SQL.format(database=sql_identifier(relation.database))
    found = reader.query(sql, (relation.schema, relation.table))
    if found and found[0][0]:
        metadata["bytes"] = int(found[0][0])
    return metadata


def _changed_rows(model: Model, target: Path) -> bool:
    """Tell whether dbt changed the rows of a table that existed before."""
    if model.node.kind == "seed":
        return True
    sql = artifact("run", model.node, target) or ""
    return bool(CHANGES_ROWS.search(sql)) and not CREATES.search(sql)


def artifact(kind: str, node: Node, target: Path) -> str | None:
    """Return a node's SELECT (`compiled`), or the statement around it (`run`), where dbt writes it.

    dbt writes neither for a seed, and no SELECT for a snapshot.
    """
    package = node.unique_id.split(".")[1]
    path = target / kind / package / node.path
    if path.is_dir():  # a snapshot that YAML declares
        path /= f"{node.name}.sql"
    return path.read_text() if path.is_file() else None

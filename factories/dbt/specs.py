"""What the catalog shows of a node before it was ever built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg

from factories.core.assets.specs import code_references
from factories.core.execution.table_reader import COLUMN_SCHEMA
from factories.dbt.project.manifest import Node
from factories.dbt.project.project import DbtProject, Model

CODE_REFERENCES = "dagster/code_references"
UNKNOWN_TYPE = "string"  # Dagster's own default: it shows a type of every column


def node_metadata(project: DbtProject, model: Model) -> dict[str, Any]:
    """Return the metadata of a node's asset.

    The code references are the properties file's entry, where there is one, and the SQL.
    """
    node = model.node
    places = dict([(model.path, model.line), (project.folder / node.file, 1)][::-1])
    metadata: dict[str, Any] = {
        CODE_REFERENCES: code_references(reversed(places.items())),
        "dbt/unique_id": node.unique_id,
        "dbt/materialized": node.materialized,
    }
    if model.relation:
        metadata["dagster/table_name"] = str(model.relation)
    if node.contract is not None:
        metadata["dbt/contract"] = "enforced"
    if node.columns:
        metadata[COLUMN_SCHEMA] = dg.TableSchema(
            [_column(node, name, text) for name, text in node.columns.items()]
        )
    return metadata


def _column(node: Node, name: str, description: str) -> dg.TableColumn:
    kind, constraints = (node.contract or {}).get(name, (None, ()))
    return dg.TableColumn(
        name,
        kind or UNKNOWN_TYPE,
        description=description or None,
        constraints=_constraints(constraints),
    )


def _constraints(constraints: Sequence[str]) -> dg.TableColumnConstraints | None:
    if not constraints:
        return None
    known = {"not_null", "primary_key", "unique"}
    return dg.TableColumnConstraints(
        nullable=not {"not_null", "primary_key"} & set(constraints),
        unique=bool({"unique", "primary_key"} & set(constraints)),
        other=[text for text in constraints if text not in known],
    )

"""The specs of a dbt project's assets: what dbt and `meta.dagster` say, in Dagster's terms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from factories.core.assets.specs import asset_spec, code_reference, code_references
from factories.core.dagster_internals import is_reconstruction
from factories.core.execution.table_reader import COLUMN_SCHEMA
from factories.core.meta.dagster_meta import EMAIL
from factories.core.meta.keys import key_part
from factories.dbt.project.manifest import Node
from factories.dbt.project.project import DbtProject, Model
from factories.dbt.project.sources import SourceTable

CODE_REFERENCES = "dagster/code_references"
UNIQUE_ID = "dagster_dbt/unique_id"
UNKNOWN_TYPE = "string"  # Dagster's own default: it shows a type of every column
NOT_IN_A_TAG = re.compile(r"[^A-Za-z0-9_.-]+")


def model_spec(
    project: DbtProject,
    model: Model,
    *,
    deps: Iterable[dg.AssetKey],
    library_metadata: Mapping[str, Any],
) -> dg.AssetSpec:
    """Return the spec of a model, seed or snapshot.

    Args:
        project: Its dbt project.
        model: The node.
        deps: The assets that it reads.
        library_metadata: What the functions of dagster-dbt look for.
    """
    node, meta = model.node, model.meta
    owners = meta.owners or tuple(_owners(project.manifest.owners.get(node.group or "", {})))
    dbt_tags = {NOT_IN_A_TAG.sub("_", tag)[:63]: "" for tag in node.tags if tag}
    kind = node.materialized if node.kind == "model" else node.kind
    return asset_spec(
        model.key,
        meta.model_copy(update={"owners": owners, "tags": {**dbt_tags, **meta.tags}}),
        deps=list(dict.fromkeys(deps)),
        group=_group(model),
        kinds={"dbt", "snowflake", NOT_IN_A_TAG.sub("_", kind.lower())},
        metadata={**library_metadata, **({} if is_reconstruction() else _metadata(project, model))},
        code_version=node.code_version,
        description=node.description or None,
        # A run that starts again from a failed step leaves what was built as it is.
        skippable=True,
    )


def external_spec(table: SourceTable) -> dg.AssetSpec:
    """Return the spec of a source that nothing in this workspace produces."""
    meta = table.meta
    return dg.AssetSpec(
        table.key,
        group_name=meta.group or key_part(table.source.system),
        description=meta.description or table.source.description or None,
        owners=list(meta.owners),
        tags=meta.tags,
        kinds=set(meta.kinds or ()),
        metadata={CODE_REFERENCES: code_reference(table.path, table.line)},
    )


def _group(model: Model) -> str:
    """Return the folder's name: of a staging model its system, of a mart its area."""
    folders = [key_part(part) for part in model.key.path[:-1] if part != "stg"]
    return folders[-1] if folders else model.node.kind


def _owners(owner: Mapping[str, Any]) -> Iterator[str]:
    """Yield the owners that dbt's group names: by email, which may be a list, else by name."""
    given = owner.get("email")
    emails = [given] if isinstance(given, str) else given or []
    valid = [email for email in emails if EMAIL.fullmatch(email)]
    yield from valid
    if not valid and owner.get("name"):
        yield f"team:{owner['name']}"


def _metadata(project: DbtProject, model: Model) -> dict[str, Any]:
    """Return the metadata of a node's asset.

    The code references are the properties file's entry, where there is one, and the SQL.
    """
    node = model.node
    places = dict([(model.path, model.line), (project.folder / node.file, 1)][::-1])
    metadata: dict[str, Any] = {
        CODE_REFERENCES: code_references(reversed(places.items())),
        "dbt/unique_id": node.unique_id,
        "dbt/materialized": node.materialized,
        # By the names of dagster-dbt, which Dagster+ and its users know.
        UNIQUE_ID: node.unique_id,
        "dagster_dbt/project_id": project.manifest.project_id,
        "dagster-dbt/materialization_type": node.materialized,
    }
    if model.relation:
        metadata["dagster/table_name"] = str(model.relation)
        metadata["dagster/storage_kind"] = project.manifest.adapter
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

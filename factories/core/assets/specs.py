"""Builds asset specs from a `meta.dagster` block and what the tool knows of the asset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from factories.core.assets.partition_freshness import deadline_metadata
from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.meta.freshness import freshness_policy
from factories.core.meta.keys import parse_key
from factories.core.meta.partitions import partitions_definition
from factories.core.yaml.reader import display_name

CODE_REFERENCES = "dagster/code_references"


def asset_spec(
    key: dg.AssetKey,
    meta: DagsterMeta,
    *,
    deps: Iterable[dg.AssetKey],
    group: str,
    kinds: set[str],
    metadata: Mapping[str, Any],
    code_version: str,
    description: str | None = None,
    skippable: bool = False,
) -> dg.AssetSpec:
    """Return the spec that a `meta.dagster` block describes.

    Args:
        key: The asset.
        meta: Its block; wins over `description`, `group` and `kinds`.
        deps: The assets that the tool's own lineage gives; the block's are added.
        group: The group when the block names none.
        kinds: The kinds when the block names none.
        metadata: What the tool adds.
        code_version: Changes when the asset's own config does.
        description: The tool's own.
        skippable: Whether a run may leave it as it is.
    """
    return dg.AssetSpec(
        key,
        deps=[*deps, *(parse_key(dep) for dep in meta.deps)],
        description=meta.description or description,
        metadata={**metadata, **deadline_metadata(meta)},
        group_name=meta.group or group,
        code_version=code_version,
        automation_condition=meta.condition,
        owners=list(meta.owners),
        tags=meta.tags,
        kinds=set(meta.kinds) if meta.kinds is not None else kinds,
        freshness_policy=freshness_policy(meta.freshness),
        partitions_def=partitions_definition(meta.partition) if meta.partition else None,
        skippable=skippable,
    )


def code_reference(path: Path, line: int) -> dg.CodeReferencesMetadataValue:
    """Return the place in YAML that the UI links an asset to."""
    return code_references([(path, line)])


def code_references(places: Iterable[tuple[Path, int]]) -> dg.CodeReferencesMetadataValue:
    """Return the places, a file and its line each, that the UI links an asset to."""
    return dg.CodeReferencesMetadataValue(
        code_references=[
            dg.LocalFileCodeReference(
                file_path=str(path), line_number=line, label=f"{path.name}:{line}"
            )
            for path, line in places
        ]
    )


def declared_at(metadata: Mapping[str, Any], root: Path) -> tuple[str, int] | None:
    """Return the file and line that an asset's metadata says it is declared at.

    Args:
        metadata: Of the asset.
        root: The project folder: files below it are told relative to it.

    Returns:
        A line of 0 when it names a file alone; None when it names none.
    """
    references = metadata.get(CODE_REFERENCES)
    for reference in references.code_references if references else ():
        if isinstance(reference, dg.LocalFileCodeReference):
            return display_name(Path(reference.file_path), root), reference.line_number or 0
    return None

"""The specs of a pipeline's assets: what its file says, in Dagster's terms."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import dagster as dg

from factories.core.assets.specs import asset_spec, code_reference
from factories.core.meta.keys import asset_key, key_part
from factories.dlt.config.pipelines import Pipeline, Resource

SOURCE_KIND = {"rest_api": "api", "sql_database": "sql", "filesystem": "file"}

MakeSpec = Callable[[Pipeline, Resource], dg.AssetSpec]


def resource_spec(pipeline: Pipeline, resource: Resource) -> dg.AssetSpec:
    """Return the asset of a resource, as its pipeline file describes it."""
    source = source_key(pipeline, resource)
    return asset_spec(
        resource.key,
        resource.meta,
        deps=[source] if source else [],
        group=pipeline.system,
        kinds={"dlt", "snowflake"},
        metadata={
            "dagster/code_references": code_reference(pipeline.path, resource.line),
            "dagster/storage_kind": "snowflake",
            "dagster/table_name": str(resource.relation),
            "dlt/resource": resource.name,
            "dlt/write_disposition": resource.settings.disposition,
        },
        code_version=resource.code_version,
        description=resource.settings.description,
    )


def source_key(pipeline: Pipeline, resource: Resource) -> dg.AssetKey | None:
    """Return the external asset that a resource reads; None for a source in Python."""
    if pipeline.kind not in SOURCE_KIND:
        return None
    # A name without ASCII letters or digits leaves nothing of itself in a key.
    name = resource.name if key_part(resource.name) else resource.relation.table
    return asset_key(pipeline.name, "src", name)


def source_specs(pipeline: Pipeline) -> Iterator[dg.AssetSpec]:
    """Yield the external assets that a pipeline reads."""
    for resource in pipeline.resources:
        if key := source_key(pipeline, resource):
            group = resource.meta.group or pipeline.system
            yield dg.AssetSpec(key, group_name=group, kinds={SOURCE_KIND[pipeline.kind]})

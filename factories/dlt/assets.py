"""From resolved pipelines to Dagster assets: a pure mapping, no I/O."""

# Dagster reads the annotations of an op's function: they must not be postponed here.

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from factories.core.assets.context import LoadContext
from factories.core.assets.specs import asset_spec, code_reference
from factories.core.assets.step_groups import StepGroup, step_groups
from factories.core.meta.check_specs import check_specs
from factories.core.meta.keys import asset_key
from factories.core.meta.partitions import partitions_definition
from factories.core.warehouse.names import WarehouseNames
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import display_name
from factories.dlt.config.pipelines import Pipeline, PipelineLoad, Resource, read_pipelines

SOURCE_KIND = {"rest_api": "api", "sql_database": "sql", "filesystem": "file"}


class DltRunConfig(dg.Config):
    """What a person may choose for one run, in the launchpad."""

    full_refresh: bool = Field(
        default=False,
        description="Load everything again: the selected resources' tables are replaced, and"
        " their cursors begin at the initial value.",
    )


def build_dlt_assets(
    folder: Path, load_context: LoadContext
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """Return the assets of a `dlt_pipelines/` folder.

    Each pipeline makes one multi-asset for its resources, or one for each kind of partitions where
    these differ. What an API, a database or files give are external
    assets; a Python source is code, its own dependencies are those that `deps` names.

    Args:
        folder: Holds a pipeline in every YAML file.
        load_context: Receives the problems and the asset keys.
    """
    pipelines = read_pipelines(folder, load_context)
    _check_sources(pipelines, load_context)
    if load_context.problems:
        return []
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = []
    for pipeline in pipelines:
        assets.extend(_source_specs(pipeline))
        groups = step_groups("dlt", pipeline.name, pipeline.resources, lambda r: r.meta)
        assets.extend(_multi_asset(group, pipeline, load_context.names) for group in groups)
    return assets


def _check_sources(pipelines: Iterable[Pipeline], load_context: LoadContext) -> None:
    """Report assets that are also what a source gives."""
    for pipeline in pipelines:
        for resource in pipeline.resources:
            key = _source_key(pipeline, resource)
            if key and (origin := load_context.produced.get(key)):
                message = f"{resource.name!r} reads {key.to_user_string()}, which {origin} produces"
                name = display_name(pipeline.path, load_context.root)
                load_context.problems.append(Problem(name, resource.line, 1, message))


def _source_key(pipeline: Pipeline, resource: Resource) -> dg.AssetKey | None:
    if pipeline.kind not in SOURCE_KIND:
        return None
    return asset_key(pipeline.name, "src", resource.name)


def _source_specs(pipeline: Pipeline) -> Iterator[dg.AssetSpec]:
    for resource in pipeline.resources:
        if key := _source_key(pipeline, resource):
            group = resource.meta.group or pipeline.system
            yield dg.AssetSpec(key, group_name=group, kinds={SOURCE_KIND[pipeline.kind]})


def _multi_asset(
    group: StepGroup[Resource], pipeline: Pipeline, names: WarehouseNames
) -> dg.AssetsDefinition:
    by_key = {resource.key: resource for resource in group.items}

    @dg.multi_asset(
        name=group.name,
        specs=[_spec(pipeline, resource) for resource in group.items],
        check_specs=[
            check
            for key, resource in by_key.items()
            for check in check_specs(key, resource.meta.checks)
        ],
        can_subset=True,
        partitions_def=partitions_definition(group.partition) if group.partition else None,
        # A range of partitions is one window, and one load.
        backfill_policy=dg.BackfillPolicy.single_run() if group.partition else None,
        pool=group.pool,
        required_resource_keys={"dlt"},
    )
    def dlt_pipeline(context: dg.AssetExecutionContext, config: DltRunConfig) -> Iterable[Any]:
        load = PipelineLoad(pipeline, by_key, names, full_refresh=config.full_refresh)
        yield from context.resources.dlt.run(context=context, declared=load)

    return dlt_pipeline


def _spec(pipeline: Pipeline, resource: Resource) -> dg.AssetSpec:
    source = _source_key(pipeline, resource)
    return asset_spec(
        resource.key,
        resource.meta,
        resource.condition,
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

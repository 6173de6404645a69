"""From resolved pipelines to Dagster assets: a pure mapping, no I/O."""

# Dagster reads the annotations of an op's function: they must not be postponed here.

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from factories.core.assets.context import LoadContext, Origin
from factories.core.assets.step_groups import StepGroup, step_groups
from factories.core.meta.check_specs import check_names, check_specs
from factories.core.meta.partitions import partitions_definition
from factories.core.warehouse.names import WarehouseNames
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import display_name
from factories.dlt.config.pipelines import Pipeline, PipelineLoad, Resource, read_pipelines
from factories.dlt.specs import MakeSpec, resource_spec, source_key, source_specs


class DltRunConfig(dg.Config):
    """What a person may choose for one run, in the launchpad."""

    full_refresh: bool = Field(
        default=False,
        description="Load everything again: the selected resources' tables are replaced, and"
        " their cursors begin at the initial value.",
    )


def build_dlt_assets(
    folder: Path, load_context: LoadContext, translated: MakeSpec | None = None
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """Return the assets of a `dlt_pipelines/` folder.

    Each pipeline makes one multi-asset for its resources, or one for each kind of partitions where
    these differ. What an API, a database or files give are external
    assets; a Python source is code, its own dependencies are those that `deps` names.

    Args:
        folder: Holds a pipeline in every YAML file.
        load_context: Receives the problems and the asset keys.
        translated: Makes the asset of a resource, where a company has a translator of its own.
    """
    make_spec = translated or resource_spec
    specs: dict[dg.AssetKey, dg.AssetSpec] = {}
    pipelines = read_pipelines(folder, load_context)
    if not load_context.problems:
        pipelines = [_with_keys(each, make_spec, specs, load_context) for each in pipelines]
    elif translated is None:  # else the keys are not known
        _claim_keys(pipelines, load_context)
    _check_sources(pipelines, load_context)
    if load_context.problems:
        return []
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = []
    for pipeline in pipelines:
        assets.extend(source_specs(pipeline))
        groups = step_groups("dlt", pipeline.name, pipeline.resources, lambda r: r.meta)
        assets.extend(_multi_asset(group, pipeline, specs, load_context.names) for group in groups)
    return assets


def _claim_keys(pipelines: Iterable[Pipeline], load_context: LoadContext) -> None:
    """Report keys that are taken, beside other problems of the files."""
    for pipeline in pipelines:
        for resource in pipeline.resources:
            origin = _origin(pipeline, resource, load_context)
            checks = check_names(resource.meta.checks)
            load_context.claim(resource.key, str(resource.relation), origin, checks=checks)


def _origin(pipeline: Pipeline, resource: Resource, load_context: LoadContext) -> Origin:
    return Origin(display_name(pipeline.path, load_context.root), resource.line)


def _with_keys(
    pipeline: Pipeline,
    make_spec: MakeSpec,
    specs: dict[dg.AssetKey, dg.AssetSpec],
    load_context: LoadContext,
) -> Pipeline:
    """Return the pipeline with the keys that its assets have, which are claimed here.

    Args:
        pipeline: The pipeline.
        make_spec: Makes the asset of a resource.
        specs: Receives the assets.
        load_context: Receives the keys, and the problems.
    """
    resources = []
    for resource in pipeline.resources:
        spec = make_spec(pipeline, resource)
        origin = _origin(pipeline, resource, load_context)
        checks = check_names(resource.meta.checks)
        load_context.claim(spec.key, str(resource.relation), origin, checks=checks)
        if spec.key != resource.key and spec.key in {dep.asset_key for dep in spec.deps}:
            message = f"deps: {spec.key.to_user_string()} cannot depend on itself"
            load_context.problems.append(Problem(origin.file, origin.line, 1, message))
        specs[spec.key] = spec
        resources.append(replace(resource, key=spec.key))
    return replace(pipeline, resources=tuple(resources))


def _check_sources(pipelines: Iterable[Pipeline], load_context: LoadContext) -> None:
    """Report assets that are also what a source gives."""
    for pipeline in pipelines:
        for resource in pipeline.resources:
            key = source_key(pipeline, resource)
            if key and (origin := load_context.produced.get(key)):
                message = f"{resource.name!r} reads {key.to_user_string()}, which {origin} produces"
                name = display_name(pipeline.path, load_context.root)
                load_context.problems.append(Problem(name, resource.line, 1, message))


def _multi_asset(
    group: StepGroup[Resource],
    pipeline: Pipeline,
    specs: Mapping[dg.AssetKey, dg.AssetSpec],
    names: WarehouseNames,
) -> dg.AssetsDefinition:
    by_key = {resource.key: resource for resource in group.items}

    @dg.multi_asset(
        name=group.name,
        specs=[specs[key] for key in by_key],
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

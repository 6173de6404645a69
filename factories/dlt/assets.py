"""From resolved pipelines to Dagster assets: a pure mapping, no I/O."""

# Dagster reads the annotations of an op's function: they must not be postponed here.

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from factories.core.assets.context import LoadContext, Origin
from factories.core.assets.specs import asset_spec, code_reference
from factories.core.assets.step_groups import StepGroup, step_groups
from factories.core.assets.translators import find_translator_problem
from factories.core.meta.check_specs import check_specs
from factories.core.meta.keys import asset_key
from factories.core.meta.partitions import partitions_definition
from factories.core.warehouse.names import WarehouseNames
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import display_name
from factories.dlt.config.pipelines import Pipeline, PipelineLoad, Resource, read_pipelines

if TYPE_CHECKING:
    from dagster_dlt import DagsterDltTranslator

SOURCE_KIND = {"rest_api": "api", "sql_database": "sql", "filesystem": "file"}

_MakeSpec = Callable[[Pipeline, Resource], dg.AssetSpec]


class DltRunConfig(dg.Config):
    """What a person may choose for one run, in the launchpad."""

    full_refresh: bool = Field(
        default=False,
        description="Load everything again: the selected resources' tables are replaced, and"
        " their cursors begin at the initial value.",
    )


def build_dlt_assets(
    folder: Path, load_context: LoadContext, translator: "DagsterDltTranslator | None" = None
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """Return the assets of a `dlt_pipelines/` folder.

    Each pipeline makes one multi-asset for its resources, or one for each kind of partitions where
    these differ. What an API, a database or files give are external
    assets; a Python source is code, its own dependencies are those that `deps` names.

    Args:
        folder: Holds a pipeline in every YAML file.
        load_context: Receives the problems and the asset keys.
        translator: A company's own, a subclass of `factories.dlt.DltPipelineTranslator`.
    """
    make_spec = _spec_function(translator, load_context)
    specs: dict[dg.AssetKey, dg.AssetSpec] = {}
    pipelines = read_pipelines(folder, load_context)
    if not load_context.problems:
        pipelines = [_with_keys(each, make_spec, specs, load_context) for each in pipelines]
    elif translator is None:  # else the keys are not known
        _claim_keys(pipelines, load_context)
    _check_sources(pipelines, load_context)
    if load_context.problems:
        return []
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = []
    for pipeline in pipelines:
        assets.extend(_source_specs(pipeline))
        groups = step_groups("dlt", pipeline.name, pipeline.resources, lambda r: r.meta)
        assets.extend(_multi_asset(group, pipeline, specs, load_context.names) for group in groups)
    return assets


def resource_spec(pipeline: Pipeline, resource: Resource) -> dg.AssetSpec:
    """Return the asset of a resource, as its pipeline file describes it."""
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


def _spec_function(
    translator: "DagsterDltTranslator | None", load_context: LoadContext
) -> _MakeSpec:
    if translator is None:
        return resource_spec
    # Imports dlt, as the module that has the translator did.
    from factories.dlt.translator import (  # noqa: PLC0415 - see above
        SUPERSEDED,
        DltPipelineTranslator,
        translated_spec,
    )

    if problem := find_translator_problem(
        "dlt_translator", translator, DltPipelineTranslator, SUPERSEDED
    ):
        load_context.problems.append(problem)
    return partial(translated_spec, translator)


def _claim_keys(pipelines: Iterable[Pipeline], load_context: LoadContext) -> None:
    """Report keys that are taken, beside other problems of the files."""
    for pipeline in pipelines:
        for resource in pipeline.resources:
            load_context.claim(
                resource.key, str(resource.relation), _origin(pipeline, resource, load_context)
            )


def _origin(pipeline: Pipeline, resource: Resource, load_context: LoadContext) -> Origin:
    return Origin(display_name(pipeline.path, load_context.root), resource.line)


def _with_keys(
    pipeline: Pipeline,
    make_spec: _MakeSpec,
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
        load_context.claim(spec.key, str(resource.relation), origin)
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

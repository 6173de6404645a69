"""Reading pipelines: from `dlt_pipelines/*.yaml` to fully resolved resources."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg

from factories.core.assets.blocks import MetaBlocks
from factories.core.assets.context import LoadContext, Origin
from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.meta.keys import asset_key, key_part, parse_key
from factories.core.meta.names import canonical_json
from factories.core.python_refs.references import FunctionError, module_file
from factories.core.warehouse.names import RAW, Relation, WarehouseNames
from factories.core.yaml.models import SourceMap, validate, validate_partly
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import YamlFile, read_yaml, yaml_paths
from factories.dlt.config.resource_rules import check_resource
from factories.dlt.config.rules import (
    check_pipeline,
    check_source,
    check_variables,
    without_settings,
)
from factories.dlt.config.schema import SOURCE_KINDS, DltResource, PipelineFile


@dataclass(frozen=True)
class Resource:
    """One resource with nothing left to inherit.

    Attributes:
        name: Its name in the source.
        config: What YAML says of it, without `meta`.
        settings: The same, validated.
        relation: The table that it loads, as the target's warehouse has it.
        key: The asset that it makes.
        meta: Its `meta.dagster` block.
        line: 1-based line of the resource in the file.
        source_version: A digest of the source's own configuration, and of a Python module's text.
    """

    name: str
    config: Mapping[str, Any]
    settings: DltResource
    relation: Relation
    key: dg.AssetKey
    meta: DagsterMeta
    line: int
    source_version: str

    @cached_property
    def code_version(self) -> str:
        """A version that changes when the resource's config or its source does."""
        text = canonical_json([self.config, self.source_version])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Pipeline:
    """One pipeline file.

    Attributes:
        name: The pipeline's name, the first part of its asset keys; to dlt, too, whatever pool and
            partitions its resources have: state and schema are stored under it.
        path: Where the file lies.
        kind: `rest_api`, `sql_database`, `filesystem` or `python`.
        settings: The file's content, validated.
        schema: The schema that holds its tables, as the target's warehouse has it.
        resources: Those that are not disabled, in the file's order.
    """

    name: str
    path: Path
    kind: str
    settings: PipelineFile
    schema: str
    resources: tuple[Resource, ...]

    @property
    def system(self) -> str:
        """The first part of the asset keys."""
        return key_part(self.name)


@dataclass(frozen=True)
class PipelineLoad:
    """What a step may load of a pipeline file, and how; which of it, the run selects.

    Attributes:
        pipeline: The pipeline file.
        resources: The resources, by the assets that they make.
        names: How the target's databases are called.
        full_refresh: Whether to replace the tables and begin at the cursors' initial values.
    """

    pipeline: Pipeline
    resources: Mapping[dg.AssetKey, Resource]
    names: WarehouseNames
    full_refresh: bool


def read_pipelines(folder: Path, load_context: LoadContext) -> list[Pipeline]:
    """Read every pipeline of a `dlt_pipelines/` folder; mistakes go to `load_context.problems`."""
    read = (_read_pipeline(path, load_context) for path in yaml_paths(folder))
    pipelines = [pipeline for pipeline in read if pipeline is not None]
    check_names(pipelines, load_context)
    return pipelines


def check_names(pipelines: list[Pipeline], load_context: LoadContext) -> None:
    """Report two pipelines of one name: each would restore the other's state."""
    first: dict[str, Pipeline] = {}
    for pipeline in pipelines:
        other = first.setdefault(pipeline.system, pipeline)
        if other is not pipeline:
            file = read_yaml(pipeline.path, root=load_context.root, problems=[])
            if file is not None:
                message = f"pipeline: {other.path.name} has a pipeline of this name: give another"
                load_context.problems.append(file.problem(["pipeline"], message))


def _read_pipeline(path: Path, load_context: LoadContext) -> Pipeline | None:
    file = read_yaml(
        path,
        root=load_context.root,
        problems=load_context.problems,
        lines_of="resources",
        holds="a pipeline: pipeline, dataset, source and resources",
    )
    if file is None:
        return None
    places = SourceMap(file, [])
    data = without_settings(file, load_context.problems)
    model = validate_partly(PipelineFile, data, places, load_context.problems, needed=["defaults"])
    if model is None:
        return None
    if "$" in file.text:
        check_variables(file, load_context.problems)
    check_pipeline(model, file, load_context.problems)
    check_source(model, file, path.parent, load_context.problems)
    schema = load_context.names.schema(model.dataset).upper()
    kind = next((kind for kind in SOURCE_KINDS if kind in model.source), "")
    resources = tuple(_resources(file, model, load_context))
    _check_pools(file, resources, load_context.problems)
    return Pipeline(model.pipeline, path, kind, model, schema, resources)


def _source_version(source: Mapping[str, Any], folder: Path) -> str:
    """Return a digest of a source's configuration, and of the text of a module that it names."""
    digest = hashlib.sha256(canonical_json(dict(source)).encode())
    if isinstance(reference := source.get("python"), str):
        # A module that is not found is reported where sources are checked.
        with suppress(FunctionError, OSError):
            if path := module_file(reference.partition(":")[0], folder):
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _check_pools(file: YamlFile, resources: tuple[Resource, ...], problems: list[Problem]) -> None:
    """Report resources of another pool than the first: a pool keeps dlt's runs from each other."""
    for resource in resources[1:]:
        if resource.meta.pool != resources[0].meta.pool:
            places = SourceMap(file, ["resources", resource.name], ["defaults"])
            message = (
                f"pool: {resources[0].name} has another: the resources of a file are one pipeline"
                " of dlt, which one pool must hold: write it under defaults"
            )
            problems.append(places.problem(["meta", "dagster", "pool"], message))


def _resources(
    file: YamlFile, model: PipelineFile, load_context: LoadContext
) -> Iterator[Resource]:
    defaults = {key: value for key, value in model.defaults.items() if key != "meta"}
    metas = MetaBlocks(file, model.defaults.get("meta"), load_context)
    source_version = _source_version(model.source, file.path.parent)
    for name, given in model.resources.items():
        own = given or {}
        at = ["resources", name]
        config = {key: value for key, value in {**defaults, **own}.items() if key != "meta"}
        settings = validate(
            DltResource, config, SourceMap(file, at, ["defaults"]), load_context.problems
        )
        disabled = settings is not None and settings.disabled
        meta = metas.of(at, own.get("meta"), disabled=disabled)
        if settings is None or meta is None or disabled:
            continue
        here = SourceMap(file, at, ["defaults"])
        if not check_resource(
            name, model, settings, meta, places=here, problems=load_context.problems
        ):
            continue
        table = settings.table_name or name
        key = (
            parse_key(meta.asset_key) if meta.asset_key else asset_key(model.pipeline, "raw", table)
        )
        origin = Origin(file.name, file.key_lines.get(name, 1))
        if key.to_user_string() in meta.deps:
            message = f"deps: {key.to_user_string()} cannot depend on itself"
            load_context.problems.append(metas.places(at).problem(["deps"], message))
        relation = load_context.names.relation(RAW, model.dataset, table)
        yield Resource(name, config, settings, relation, key, meta, origin.line, source_version)

"""From dbt projects to Dagster assets: a pure mapping, without I/O except reading files."""

# Dagster reads the annotations of an op's function: they must not be postponed here.

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import dagster as dg

from factories.core.assets.context import LoadContext, Origin
from factories.core.assets.step_groups import StepGroup, step_groups
from factories.core.meta.check_specs import check_specs
from factories.core.meta.keys import key_part
from factories.core.meta.partitions import partitions_definition
from factories.core.warehouse.names import WarehouseNames
from factories.core.yaml.reader import display_name
from factories.dbt.deferred import library_metadata
from factories.dbt.diagnostics.conflicting_meta import conflicting_meta
from factories.dbt.execution.backfill_job import backfill_job
from factories.dbt.execution.steps import steps_of
from factories.dbt.project.check_names import CheckNames
from factories.dbt.project.project import DbtProject, Model, add_checks, claim_assets
from factories.dbt.project_reader import read_project
from factories.dbt.run_config import DbtRunConfig
from factories.dbt.specs import external_spec, model_spec

# The tags by which the functions of dagster-dbt know what an op selects, and everything there is.
SELECT = "dagster_dbt/select"
ALL = "fqn:*"


class ProjectTranslator(Protocol):
    """A company's own translator: a `DbtTranslator`, whose module imports dagster-dbt."""

    def translate(self, project: DbtProject, names: CheckNames) -> DbtProject:
        """Return the project with the keys, specs and checks that the company gives it."""


def build_dbt_assets(
    folders: Iterable[Path],
    load_context: LoadContext,
    translator: ProjectTranslator | None = None,
) -> list[dg.AssetsDefinition | dg.AssetSpec | dg.AssetChecksDefinition]:
    """Return the assets and checks of dbt projects.

    Each project makes one multi-asset for its models, seeds and snapshots, or one for each
    combination of partitions and pool where these differ, and one op for the checks of sources:
    their tests and their freshness.

    Args:
        folders: Each holds a `dbt_project.yml`.
        load_context: Receives the problems and the asset keys.
        translator: A company's own, when it has one: it decides keys, specs and checks.
    """
    projects = _read_projects(folders, load_context, translator)
    load_context.problems.extend(conflicting_meta(projects, load_context))
    if load_context.problems:
        return []
    for table in (table for project in projects for table in project.sources.values()):
        if not table.is_external:
            origin = Origin(display_name(table.path, load_context.root), table.line)
            load_context.reads.setdefault(table.key, origin)
    assets: list[dg.AssetsDefinition | dg.AssetSpec | dg.AssetChecksDefinition] = []
    assets.extend(_external_specs(projects, load_context))
    for project in projects:
        models = {unique_id: model.key for unique_id, model in project.models.items()}
        load_context.dbt_models[project.folder] = models
        groups = [*step_groups("dbt", project.name, project.models.values(), lambda m: m.meta)]
        for group in groups:
            select = ALL if len(groups) == 1 else _selection(group)
            assets.append(_multi_asset(group, project, load_context.names, select))
            load_context.jobs.extend(
                backfill_job(project, model, load_context.names, pool=group.pool)
                for model in group.items
                if model.meta.backfill
            )
        assets.extend(_source_checks(project))
    return assets


def _read_projects(
    folders: Iterable[Path], load_context: LoadContext, translator: ProjectTranslator | None
) -> list[DbtProject]:
    names = CheckNames()
    projects = [found for folder in folders if (found := read_project(folder, load_context))]
    if translator is None:
        projects = [add_checks(project, names) for project in projects]
    else:
        projects = [translator.translate(project, names) for project in projects]
    for project in projects:
        claim_assets(project, load_context)
    return projects


def _external_specs(
    projects: Iterable[DbtProject], load_context: LoadContext
) -> list[dg.AssetSpec]:
    """Return the sources that come from elsewhere, each once; ingestion declares its own."""
    specs: dict[dg.AssetKey, dg.AssetSpec] = {}
    for project in projects:
        for unique_id, table in project.sources.items():
            if table.is_external and table.key not in load_context.produced:
                spec = project.specs.get(unique_id) or external_spec(table)
                specs.setdefault(table.key, spec)
    return list(specs.values())


def _multi_asset(
    group: StepGroup[Model], project: DbtProject, names: WarehouseNames, select: str
) -> dg.AssetsDefinition:
    models = {model.node.unique_id: model for model in group.items}

    @dg.multi_asset(
        name=group.name,
        specs=[*_specs(project, group.items)],
        check_specs=[check for model in group.items for check in _model_checks(project, model)],
        can_subset=True,
        partitions_def=partitions_definition(group.partition) if group.partition else None,
        # A range of partitions is one window, and one dbt process.
        backfill_policy=dg.BackfillPolicy.single_run() if group.partition else None,
        pool=group.pool,
        required_resource_keys={"dbt"},
        op_tags={SELECT: select},
    )
    def dbt_build(context: dg.AssetExecutionContext, config: DbtRunConfig) -> Iterable[Any]:
        yield from steps_of(context).build_models(context, config, project, models, names)

    return dbt_build


def _specs(project: DbtProject, models: Iterable[Model]) -> Iterator[dg.AssetSpec]:
    metadata = library_metadata(project)
    for model in models:
        translated = project.specs.get(model.node.unique_id)
        deps = (project.keys[dep] for dep in model.node.depends_on if dep in project.keys)
        yield translated or model_spec(project, model, deps=deps, library_metadata=metadata)


def _selection(group: StepGroup[Model]) -> str:
    """Return the models of one step of several, as dbt's `--select` names them."""
    return " ".join(f"fqn:{'.'.join(model.node.fqn)}" for model in group.items)


def _model_checks(project: DbtProject, model: Model) -> Iterator[dg.AssetCheckSpec]:
    for test in project.tests(model.node.unique_id):
        if check := project.checks.get(test.unique_id):
            yield check
    yield from check_specs(model.key, model.meta.checks)


def _source_checks(project: DbtProject) -> Iterator[dg.AssetChecksDefinition]:
    tests = [
        check
        for uid in project.sources
        for test in project.tests(uid)
        if (check := project.checks.get(test.unique_id))
    ]
    freshness = project.freshness_checks.values()
    if not tests and not freshness:
        return

    @dg.multi_asset_check(
        name=f"dbt__{key_part(project.name)}__sources",
        specs=[*tests, *freshness],
        can_subset=True,
        pool=f"dbt_{key_part(project.name)}",
        required_resource_keys={"dbt"},
    )
    def dbt_source_tests(context: dg.AssetCheckExecutionContext) -> Iterable[Any]:
        yield from steps_of(context).check_sources(context, project)

    yield dbt_source_tests

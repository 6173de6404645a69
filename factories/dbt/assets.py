"""From a dbt project to Dagster assets: a pure mapping, no I/O but reading files."""

# Dagster reads the annotations of an op's function: they must not be postponed here.

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from factories.core.assets.context import LoadContext, Origin
from factories.core.assets.specs import asset_spec, code_reference
from factories.core.assets.step_groups import StepGroup, step_groups
from factories.core.dagster_internals import is_reconstruction
from factories.core.meta.check_specs import check_specs
from factories.core.meta.dagster_meta import EMAIL
from factories.core.meta.keys import key_part
from factories.core.meta.partitions import partitions_definition
from factories.core.warehouse.names import WarehouseNames
from factories.core.yaml.reader import display_name
from factories.dbt.diagnostics.conflicting_meta import project_problems
from factories.dbt.execution.backfill_job import backfill_job
from factories.dbt.project.check_names import CheckNames
from factories.dbt.project.project import DbtProject, Model, read_project
from factories.dbt.project.sources import SourceTable
from factories.dbt.run_config import DbtRunConfig
from factories.dbt.specs import CODE_REFERENCES, node_metadata

NOT_IN_A_TAG = re.compile(r"[^A-Za-z0-9_.-]+")


def build_dbt_assets(
    folders: Iterable[Path], load_context: LoadContext
) -> list[dg.AssetsDefinition | dg.AssetSpec | dg.AssetChecksDefinition]:
    """Return the assets and checks of dbt projects.

    Each project makes one multi-asset for its models, seeds and snapshots, or one for each
    combination of partitions and pool where these differ, and one op for the checks of sources:
    their tests and their freshness.

    Args:
        folders: Each holds a `dbt_project.yml`.
        load_context: Receives the problems and the asset keys.
    """
    names = CheckNames()
    projects = [found for folder in folders if (found := read_project(folder, load_context, names))]
    load_context.problems.extend(project_problems(projects, load_context))
    if load_context.problems:
        return []
    for table in (table for project in projects for table in project.sources.values()):
        if not table.is_external:
            origin = Origin(display_name(table.path, load_context.root), table.line)
            load_context.reads.setdefault(table.key, origin)
    assets: list[dg.AssetsDefinition | dg.AssetSpec | dg.AssetChecksDefinition] = []
    assets.extend(_external_specs(projects, load_context))
    for project in projects:
        for group in step_groups("dbt", project.name, project.models.values(), lambda m: m.meta):
            assets.append(_multi_asset(group, project, load_context.names))
            load_context.jobs.extend(
                backfill_job(project, model, load_context.names, pool=group.pool)
                for model in group.items
                if model.meta.backfill
            )
        assets.extend(_source_checks(project))
    return assets


def _external_specs(
    projects: Iterable[DbtProject], load_context: LoadContext
) -> list[dg.AssetSpec]:
    """Return the sources that come from elsewhere, each once; ingestion declares its own."""
    specs: dict[dg.AssetKey, dg.AssetSpec] = {}
    for table in (table for project in projects for table in project.sources.values()):
        if table.is_external and table.key not in load_context.produced:
            specs.setdefault(table.key, _external_spec(table))
    return list(specs.values())


def _external_spec(table: SourceTable) -> dg.AssetSpec:
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


def _multi_asset(
    group: StepGroup[Model], project: DbtProject, names: WarehouseNames
) -> dg.AssetsDefinition:
    models = {model.node.unique_id: model for model in group.items}

    @dg.multi_asset(
        name=group.name,
        specs=[_spec(project, model) for model in models.values()],
        check_specs=[check for model in models.values() for check in _model_checks(project, model)],
        can_subset=True,
        partitions_def=partitions_definition(group.partition) if group.partition else None,
        # A range of partitions is one window, and one dbt process.
        backfill_policy=dg.BackfillPolicy.single_run() if group.partition else None,
        pool=group.pool,
    )
    def dbt_build(context: dg.AssetExecutionContext, config: DbtRunConfig) -> Iterable[Any]:
        from factories.dbt.execution.run import build_models  # noqa: PLC0415 - only a step runs it

        yield from build_models(context, config, project, models, names)

    return dbt_build


def _model_checks(project: DbtProject, model: Model) -> Iterator[dg.AssetCheckSpec]:
    for test in project.tests(model.node.unique_id):
        yield project.checks[test.unique_id]
    yield from check_specs(model.key, model.meta.checks)


def _source_checks(project: DbtProject) -> Iterator[dg.AssetChecksDefinition]:
    tests = [project.checks[t.unique_id] for uid in project.sources for t in project.tests(uid)]
    freshness = project.freshness_checks.values()
    if not tests and not freshness:
        return

    @dg.multi_asset_check(
        name=f"dbt__{key_part(project.name)}__sources",
        specs=[*tests, *freshness],
        can_subset=True,
        pool=f"dbt_{key_part(project.name)}",
    )
    def dbt_source_tests(context: dg.AssetCheckExecutionContext) -> Iterable[Any]:
        from factories.dbt.execution.source_checks import (  # noqa: PLC0415 - as above
            run_source_freshness,
            run_source_tests,
        )

        wanted = context.selected_asset_check_keys
        if any(check.key in wanted for check in freshness):
            yield from run_source_freshness(context, project)
        if any(check.key in wanted for check in tests):
            yield from run_source_tests(context, project)

    yield dbt_source_tests


def _spec(project: DbtProject, model: Model) -> dg.AssetSpec:
    node, meta = model.node, model.meta
    owners = meta.owners or tuple(_owners(project.manifest.owners.get(node.group or "", {})))
    dbt_tags = {NOT_IN_A_TAG.sub("_", tag)[:63]: "" for tag in node.tags if tag}
    kind = node.materialized if node.kind == "model" else node.kind
    return asset_spec(
        model.key,
        meta.model_copy(update={"owners": owners, "tags": {**dbt_tags, **meta.tags}}),
        model.condition,
        deps=list(
            dict.fromkeys(project.keys[dep] for dep in node.depends_on if dep in project.keys)
        ),
        group=_group(model),
        kinds={"dbt", "snowflake", NOT_IN_A_TAG.sub("_", kind.lower())},
        metadata={} if is_reconstruction() else node_metadata(project, model),
        code_version=node.code_version,
        description=node.description or None,
        # A run that starts again from a failed step leaves what was built as it is.
        skippable=True,
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

"""The assets of a `snowpark/` folder: what its entries are in Dagster's terms."""

# Dagster reads the annotations of an op's function: they must not be postponed here.

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg

from factories.core.assets.context import LoadContext
from factories.core.assets.specs import asset_spec, code_reference
from factories.core.assets.step_groups import StepGroup, step_groups
from factories.core.meta.check_specs import check_specs
from factories.core.meta.keys import key_part
from factories.core.meta.partitions import partitions_definition
from factories.core.meta.retries import max_retry_spec, retry_policy
from factories.core.warehouse.names import WarehouseNames
from factories.snowpark.config.areas import find_upstream, read_areas
from factories.snowpark.config.check_specs import model_check_specs, score_check_specs
from factories.snowpark.config.entries import Entry, ModelEntry, ScoreEntry, TableEntry
from factories.snowpark.run_config import ModelRunConfig

TOOL = "snowpark"


def build_snowpark_assets(folder: Path, load_context: LoadContext) -> list[dg.AssetsDefinition]:
    """Return the assets of a `snowpark/` folder.

    The features and other tables of a file make one multi-asset, or one for each combination of
    partitions and pool where these differ. Each model and each score is a step of its own.

    Args:
        folder: Holds a YAML file for each area.
        load_context: Receives the problems and the asset keys.
    """
    areas = read_areas(folder, load_context)
    if load_context.problems:
        return []
    assets: list[dg.AssetsDefinition] = []
    for area in areas:
        groups = step_groups(TOOL, area.name, area.tables, lambda table: table.meta)
        assets += [_tables(group, load_context.names) for group in groups]
        assets += [_model(model, load_context.names) for model in area.models]
        assets += [_score(score, load_context.names) for score in area.scores]
    return assets


def _tables(group: StepGroup[TableEntry], names: WarehouseNames) -> dg.AssetsDefinition:
    by_key = {table.key: table for table in group.items}
    # So that a pool's name, which is part of it, makes no model's or score's.
    name = group.name.replace(f"{TOOL}__", f"{TOOL}_tables__", 1)

    @dg.multi_asset(
        name=name,
        specs=[_table_spec(table) for table in group.items],
        check_specs=[
            check for key, table in by_key.items() for check in check_specs(key, table.meta.checks)
        ],
        can_subset=True,
        partitions_def=partitions_definition(group.partition) if group.partition else None,
        # A range of partitions is one window, and one statement.
        backfill_policy=dg.BackfillPolicy.single_run() if group.partition else None,
        pool=group.pool,
        # For a step that finds no warehouse; it tries each table that fails again by itself.
        retry_policy=retry_policy(max_retry_spec(table.meta.retries for table in group.items)),
    )
    def snowpark_tables(context: dg.AssetExecutionContext) -> Iterable[Any]:
        # Imports Snowpark, which only a step that runs it needs.
        from factories.snowpark.tables.build import build_tables  # noqa: PLC0415 - see above

        yield from build_tables(context, by_key, names)

    return snowpark_tables


def _model(model: ModelEntry, names: WarehouseNames) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=_op_name(model),
        specs=[_model_spec(model)],
        check_specs=model_check_specs(model),
        can_subset=True,
        pool=_pool(model),
        retry_policy=retry_policy(model.meta.retries),
    )
    def snowpark_model(context: dg.AssetExecutionContext, config: ModelRunConfig) -> Iterable[Any]:
        # Imports Snowpark and scikit-learn, which only a step that runs them needs.
        from factories.snowpark.models.run import train_model  # noqa: PLC0415 - see above

        yield from train_model(context, config, model, names)

    return snowpark_model


def _score(score: ScoreEntry, names: WarehouseNames) -> dg.AssetsDefinition:
    partition = score.meta.partition

    @dg.multi_asset(
        name=_op_name(score),
        specs=[_score_spec(score)],
        check_specs=[*check_specs(score.key, score.meta.checks), *score_check_specs(score)],
        can_subset=True,
        partitions_def=partitions_definition(partition) if partition else None,
        backfill_policy=dg.BackfillPolicy.single_run() if partition else None,
        pool=_pool(score),
        retry_policy=retry_policy(score.meta.retries),
    )
    def snowpark_score(context: dg.AssetExecutionContext) -> Iterable[Any]:
        from factories.snowpark.scores.run import score as run_score  # noqa: PLC0415 - as above

        yield from run_score(context, score, names)

    return snowpark_score


def _op_name(entry: Entry) -> str:
    return f"{TOOL}__{key_part(entry.area)}__{entry.name}"


def _pool(entry: Entry) -> str:
    return entry.meta.pool or f"{TOOL}_{key_part(entry.area)}"


def _table_spec(table: TableEntry) -> dg.AssetSpec:
    return _spec(
        table,
        kinds={TOOL, "snowflake"},
        metadata={"dagster/table_name": str(table.relation), "snowpark/mode": table.mode},
    )


def _model_spec(model: ModelEntry) -> dg.AssetSpec:
    return _spec(
        model,
        kinds={TOOL, "scikitlearn"},
        metadata={
            "snowpark/registry": str(model.registry),
            "snowpark/target": model.target,
            "snowpark/runs_in": model.runs_in,
        },
    )


def _score_spec(score: ScoreEntry) -> dg.AssetSpec:
    return _spec(
        score,
        kinds={TOOL, "snowflake"},
        metadata={
            "dagster/table_name": str(score.relation),
            "snowpark/model_version": score.version or "champion",
            "snowpark/runs_in": score.runs_in,
        },
    )


def _spec(entry: Entry, *, kinds: set[str], metadata: dict[str, Any]) -> dg.AssetSpec:
    return asset_spec(
        entry.key,
        entry.meta,
        deps=find_upstream(entry),
        group=key_part(entry.area),
        kinds=kinds,
        metadata={
            "dagster/code_references": code_reference(entry.path, entry.line),
            **metadata,
        },
        code_version=entry.code_version,
        description=entry.description,
    )

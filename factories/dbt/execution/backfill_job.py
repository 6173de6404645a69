"""The jobs that build models again, window by window."""

# Dagster reads the annotations of an op's function: they must not be postponed here.

from typing import Any

import dagster as dg

from factories.core.execution.window import Window
from factories.core.meta.names import dagster_name
from factories.core.meta.partitions import PartitionSpec, partitions_definition
from factories.core.warehouse.names import WarehouseNames
from factories.dbt.execution.steps import steps_of
from factories.dbt.project.project import DbtProject, Model
from factories.dbt.run_config import WindowConfig
from factories.dbt.windows import window_variables


def backfill_job(
    project: DbtProject, model: Model, names: WarehouseNames, *, pool: str
) -> dg.JobDefinition:
    """Return the job whose partitions build one model again, window by window.

    The asset itself has no partitions: all other runs build what is new. Dagster shows the
    partitions of a job of assets as those of its assets, so this job has an op of its own.
    """
    spec = model.meta.backfill
    assert spec is not None  # noqa: S101 - asked for only then
    name = f"backfill_{dagster_name(model.node.name)}"

    @dg.op(name=f"{name}_window", pool=pool, required_resource_keys={"dbt"})
    def backfill_window(context: dg.OpExecutionContext, config: WindowConfig) -> None:
        steps_of(context).build_window(context, config, project, model, names)

    @dg.job(
        name=name,
        config=_config(backfill_window.name, spec),
        description=f"Rebuilds windows of {model.key.to_user_string()}.",
        metadata={"asset": dg.MetadataValue.asset(model.key)},
    )
    def backfill() -> None:
        backfill_window()

    return backfill


def _config(op: str, spec: PartitionSpec) -> dg.PartitionedConfig[Any]:
    definition = partitions_definition(spec)

    def of_partition(key: str) -> dict[str, Any]:
        assert isinstance(definition, dg.TimeWindowPartitionsDefinition)  # noqa: S101 - checked before
        span = definition.time_window_for_partition_key(key)
        window = window_variables(Window(span.start, span.end))
        return {"ops": {op: {"config": window}}}

    return dg.PartitionedConfig(definition, run_config_for_partition_key_fn=of_partition)

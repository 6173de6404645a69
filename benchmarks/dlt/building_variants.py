"""Ways to build the definitions of one project's dlt pipelines; run as a process each.

`python -m benchmarks.dlt.building_variants VARIANT FOLDER FILES RESOURCES` prints the seconds
of the build alone, without interpreter start and imports, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg

# What Dagster sets in the processes of runs and steps; not public in 1.13.
from dagster._core.definitions.definitions_load_context import (
    DefinitionsLoadContext,
    DefinitionsLoadType,
)

from benchmarks.bare_definitions import CRON, OWNER, Build, code_reference, make_bare_multi_asset
from benchmarks.dlt.generated_pipelines import (
    VARIABLES,
    SamplePipeline,
    SampleResource,
    sample_pipelines,
)
from factories.core.garbage_collection import gc_paused
from factories.core.meta.built_in_conditions import CronConfig, on_cron_no_deps
from factories.core.meta.named_conditions import Condition


def build_with_factories(folder: Path, *, again: bool) -> Build:
    """Build with the factories: read YAML with positions, validate it, make assets.

    Args:
        folder: The project.
        again: Whether as a run and a step do it, which read what a code server has checked.
    """
    import factories.dlt.assets  # noqa: F401, PLC0415 - imports are not part of the build
    from factories.definitions import build_definitions  # noqa: PLC0415 - as above

    os.environ |= {**VARIABLES, "DP_PROJECT_DIR": str(folder)}
    kind = DefinitionsLoadType.RECONSTRUCTION if again else DefinitionsLoadType.INITIALIZATION
    context = DefinitionsLoadContext(load_type=kind)

    def build() -> dg.Definitions:
        with DefinitionsLoadContext.scoped(context):
            return build_definitions(dlt="dlt_pipelines")

    return build


def build_bare(folder: Path, files: int, resources: int) -> Build:
    """Make the same specs as ours from values at hand: no YAML, no validation, nothing to run."""
    pipelines = list(sample_pipelines(files, resources))

    def build() -> dg.Definitions:
        condition = on_cron_no_deps.build(CronConfig(cron_schedule=CRON))
        assets: list[dg.AssetsDefinition | dg.AssetSpec] = []
        for pipeline in pipelines:
            for resource in pipeline.resources:
                key = dg.AssetKey([pipeline.system, "src", resource.table])
                kinds = {pipeline.source_kind}
                assets.append(dg.AssetSpec(key, group_name=pipeline.group, kinds=kinds))
            path = folder / "dlt_pipelines" / pipeline.file_name
            specs = [
                _make_bare_spec(pipeline, each, path, condition) for each in pipeline.resources
            ]
            assets.append(make_bare_multi_asset("dlt", pipeline.system, specs))
        return dg.Definitions(assets=assets, executor=dg.multiprocess_executor)

    return build


def _make_bare_spec(
    pipeline: SamplePipeline, resource: SampleResource, path: Path, condition: Condition | None
) -> dg.AssetSpec:
    return dg.AssetSpec(
        dg.AssetKey([pipeline.system, "raw", resource.table]),
        deps=[dg.AssetKey([pipeline.system, "src", resource.table])],
        description=resource.description,
        metadata={
            "dagster/code_references": code_reference(path, resource.line),
            "dagster/storage_kind": "snowflake",
            "dagster/table_name": f"RAW.{pipeline.system}.{resource.table}".upper(),
            "dlt/resource": resource.table,
            "dlt/write_disposition": "merge",
        },
        group_name=pipeline.group,
        code_version="0123456789abcdef",
        automation_condition=condition,
        owners=[OWNER],
        tags=resource.tags,
        kinds={"dlt", "snowflake"},
    )


def prepare(variant: str, folder: Path, files: int, resources: int) -> Build:
    """Import what a variant needs and return its build.

    Raises:
        KeyError: When there is no such variant.
    """
    variants: dict[str, Callable[[], Build]] = {
        "factories": lambda: build_with_factories(folder, again=False),
        "factories, in a step": lambda: build_with_factories(folder, again=True),
        "bare": lambda: build_bare(folder, files, resources),
        "bare, collector paused": lambda: gc_paused()(build_bare(folder, files, resources)),
    }
    return variants[variant]()


def main() -> None:
    """Build one variant in this process and print its seconds."""
    variant, folder, files, resources = sys.argv[1:]
    build = prepare(variant, Path(folder), int(files), int(resources))
    start = time.perf_counter()
    build()
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()

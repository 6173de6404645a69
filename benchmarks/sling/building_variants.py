"""Three ways to build the definitions of one project's Sling streams; run as a process each.

`python -m benchmarks.sling.building_variants VARIANT FOLDER FILES STREAMS` prints the seconds of
the build alone, without interpreter start and imports, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg

from benchmarks.bare_definitions import CRON, OWNER, Build, code_reference, make_bare_multi_asset
from benchmarks.sling.generated_streams import SampleReplication, SampleStream, sample_replications
from factories.core.garbage_collection import gc_paused
from factories.core.meta.built_in_conditions import CronConfig, on_cron_no_deps
from factories.core.meta.named_conditions import Condition


def build_with_factories(folder: Path) -> Build:
    """Build with the factories: read YAML with positions, validate it, make assets."""
    import factories.sling.assets  # noqa: F401, PLC0415 - imports are not part of the build
    from factories.definitions import build_definitions  # noqa: PLC0415 - as above

    os.environ["DP_PROJECT_DIR"] = str(folder)
    return lambda: build_definitions(sling="sling")


def build_with_dagster_sling(folder: Path) -> Build:
    """Build with dagster-sling's own component, from the same files.

    It builds less of them: owners, tags, automation conditions and the source tables are left out.
    """
    from dagster_sling import SlingReplicationCollectionComponent  # noqa: PLC0415 - as above
    from dagster_sling.components.sling_replication_collection.component import (  # noqa: PLC0415 - as above
        SlingReplicationSpecModel,
    )

    os.chdir(folder)  # the component's paths are relative to that of its context
    context = dg.ComponentTree.for_test().load_context
    paths = sorted(path for path in Path("sling").iterdir() if path.name != "connections.yaml")

    def build() -> dg.Definitions:
        replications = [SlingReplicationSpecModel(path=str(path)) for path in paths]
        return SlingReplicationCollectionComponent(replications=replications).build_defs(context)

    return build


def build_bare(folder: Path, files: int, streams: int) -> Build:
    """Make the same specs as ours from values at hand: no YAML, no validation, nothing to run."""
    replications = list(sample_replications(files, streams))

    def build() -> dg.Definitions:
        condition = on_cron_no_deps.build(CronConfig(cron_schedule=CRON))
        assets: list[dg.AssetsDefinition | dg.AssetSpec] = []
        for replication in replications:
            assets += _make_bare_sources(replication)
            path = folder / "sling" / replication.file_name
            specs = [
                _make_bare_spec(stream, replication.group, path, condition)
                for stream in replication.streams
            ]
            assets.append(make_bare_multi_asset("sling", replication.system, specs))
        return dg.Definitions(assets=assets, executor=dg.multiprocess_executor)

    return build


def _make_bare_sources(replication: SampleReplication) -> Iterator[dg.AssetSpec]:
    for stream in replication.streams:
        key = dg.AssetKey([stream.system, "src", stream.table])
        yield dg.AssetSpec(key, group_name=replication.group, kinds={"postgres"})


def _make_bare_spec(
    stream: SampleStream, group: str, path: Path, condition: Condition | None
) -> dg.AssetSpec:
    return dg.AssetSpec(
        dg.AssetKey([stream.system, "raw", stream.table]),
        deps=[dg.AssetKey([stream.system, "src", stream.table])],
        description=stream.description,
        metadata={
            "dagster/code_references": code_reference(path, stream.line),
            "dagster/table_name": f"RAW.{stream.system}.{stream.table}".upper(),
            "sling/stream": stream.name,
            "sling/mode": "incremental",
        },
        group_name=group,
        code_version="0123456789abcdef",
        automation_condition=condition,
        owners=[OWNER],
        tags=stream.tags,
        kinds={"sling", "snowflake"},
    )


def prepare(variant: str, folder: Path, files: int, streams: int) -> Build:
    """Import what a variant needs and return its build.

    Raises:
        KeyError: When there is no such variant.
    """
    variants: dict[str, Callable[[], Build]] = {
        "factories": lambda: build_with_factories(folder),
        "dagster-sling": lambda: build_with_dagster_sling(folder),
        "bare": lambda: build_bare(folder, files, streams),
        "bare, collector paused": lambda: gc_paused()(build_bare(folder, files, streams)),
    }
    return variants[variant]()


def main() -> None:
    """Build one variant in this process and print its seconds."""
    variant, folder, files, streams = sys.argv[1:]
    build = prepare(variant, Path(folder), int(files), int(streams))
    start = time.perf_counter()
    build()
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()

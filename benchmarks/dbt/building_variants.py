"""Two ways to load the definitions of one dbt project; run as a process each.

`python -m benchmarks.dbt.building_variants VARIANT ROOT` prints the seconds of the build
alone, without interpreter start and imports, as JSON. With `--run` it also materializes the
project's first model as a run worker does; the seconds are then those from this process's start to
that of the step.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import psutil

from benchmarks.dbt.generated_models import DBT, FIRST_MODEL
from benchmarks.measure import VariantFailedError

if TYPE_CHECKING:
    from dagster_dbt import DbtProjectComponent

Build = Callable[[], dg.Definitions]
FIRST_KEYS = {"factories": f"marts/area_00/{FIRST_MODEL}", "dagster-dbt": FIRST_MODEL}


def build_with_factories(root: Path) -> Build:
    """Build with the factories: the manifest and validated `meta.dagster` blocks make assets."""
    import factories.dbt.assets  # noqa: F401, PLC0415 - imports are not part of the build
    from factories.definitions import build_definitions  # noqa: PLC0415 - as above

    os.environ["DP_PROJECT_DIR"] = str(root)
    return lambda: build_definitions(dbt=DBT)


def build_with_dagster_dbt(root: Path) -> Build:
    """Build with dagster-dbt's own component, from the same project."""
    component = _component(root)
    os.chdir(root)  # where the component keeps its copy of the project
    context = dg.ComponentTree.for_test().load_context
    return lambda: component.build_defs(context)


def prepare_dagster_dbt(root: Path) -> None:
    """Make the component's manifest and its copy of the project, as for an image."""
    asyncio.run(_component(root).refresh_state(root))


def _component(root: Path) -> DbtProjectComponent:
    from dagster_dbt import DbtProjectComponent  # noqa: PLC0415 - as above
    from dagster_dbt.components.dbt_project.component import DbtProjectArgs  # noqa: PLC0415
    from dagster_dbt.dbt_project_manager import DbtProjectArgsManager  # noqa: PLC0415

    sys.path.insert(0, str(root))  # it imports the project's root module
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # it looks for dbt
    arguments = DbtProjectArgs(str(root / DBT))
    return DbtProjectComponent(project=DbtProjectArgsManager(arguments))


def prepare(variant: str, root: Path) -> Build:
    """Import what a variant needs and return its build.

    Raises:
        KeyError: When there is no such variant.
    """
    return {"factories": build_with_factories, "dagster-dbt": build_with_dagster_dbt}[variant](root)


def first_model_job(variant: str, root: str) -> dg.JobDefinition:
    """Return the job of the first model; the step process finds it by this function."""
    job = dg.define_asset_job("first", selection=[FIRST_KEYS[variant]])
    defs = prepare(variant, Path(root))()
    return dg.Definitions.merge(defs, dg.Definitions(jobs=[job])).resolve_job_def("first")


def seconds_to_first_step(variant: str, root: Path) -> float:
    """Materialize the first model; return the seconds from this process's start to the step's.

    Raises:
        VariantFailedError: When the run fails.
    """
    arguments = {"variant": variant, "root": str(root)}
    with dg.DagsterInstance.get() as instance:
        job = dg.build_reconstructable_job(
            "benchmarks.dbt.building_variants", "first_model_job", reconstructable_kwargs=arguments
        )
        result = dg.execute_job(job, instance)
        if not result.success:
            failures = [event.message for event in result.all_events if event.is_failure]
            raise VariantFailedError("\n".join(map(str, failures)))
        events = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.STEP_START)
    return events[0].timestamp - psutil.Process().create_time()


def main() -> None:
    """Measure one variant in this process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("variant", choices=FIRST_KEYS)
    parser.add_argument("root", type=Path)
    parser.add_argument("--run", action="store_true")
    chosen = parser.parse_args()
    if chosen.run:
        print(json.dumps({"seconds": seconds_to_first_step(chosen.variant, chosen.root)}))
        return
    build = prepare(chosen.variant, chosen.root)
    start = time.perf_counter()
    build()
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()

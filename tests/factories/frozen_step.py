"""A run with our executor; fails unless the step's process shares what its server has imported."""

from __future__ import annotations

import gc
import sys

import dagster as dg

from factories.location_defaults import step_executor


@dg.op
def look_around() -> None:
    assert gc.isenabled()
    assert gc.get_freeze_count() > 100_000
    assert "factories.sling.run" in sys.modules


def job() -> dg.JobDefinition:
    return dg.GraphDefinition("look", node_defs=[look_around]).to_job(executor_def=step_executor())


def main() -> None:
    with dg.DagsterInstance.local_temp() as instance:
        dg.execute_job(dg.reconstructable(job), instance, raise_on_error=True)


if __name__ == "__main__":
    main()

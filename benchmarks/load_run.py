"""One run of some assets, as a run worker does it: `python -m benchmarks.load_run LOCATION KEY…`.

The location's executor starts a process for each step. The seconds are printed as JSON: from the
moment at which the executor starts the first one to the end of the last step, and those of each
step by its key, as the run's events have them.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterable, Sequence

import dagster as dg

STARTED = dg.DagsterEventType.STEP_WORKER_STARTING
ENDED = dg.DagsterEventType.STEP_SUCCESS


def load_job(location: str, selection: Sequence[str]) -> dg.JobDefinition:
    """Return the job; the step process finds it by this function.

    Both processes build the code location in here, where Dagster has noted that they read
    again what a code server has made before.
    """
    defs: dg.Definitions = importlib.import_module(f"code_locations.{location}.definitions").defs
    job = dg.define_asset_job("load", selection=list(selection))
    return dg.Definitions.merge(defs, dg.Definitions(jobs=[job])).resolve_job_def("load")


def seconds(events: Iterable[dg.EventLogEntry]) -> dict[str, float]:
    """Return how long all steps of a run took, and each of them by its key."""
    started, ended = {}, {}
    for event in events:
        if event.dagster_event_type == STARTED:
            started[str(event.step_key)] = event.timestamp
        elif event.dagster_event_type == ENDED:
            ended[str(event.step_key)] = event.timestamp
    each = {key: ended[key] - at for key, at in started.items()}
    return {"seconds": max(ended.values()) - min(started.values()), **each}


def main() -> None:
    """Run the assets and print the seconds of their steps."""
    location, *selection = sys.argv[1:]
    arguments = {"location": location, "selection": selection}
    with dg.DagsterInstance.get() as instance:
        job = dg.build_reconstructable_job(
            "benchmarks.load_run", "load_job", reconstructable_kwargs=arguments
        )
        result = dg.execute_job(job, instance, raise_on_error=True)
        events = instance.all_logs(result.run_id)
    print(json.dumps(seconds(events)))


if __name__ == "__main__":
    main()

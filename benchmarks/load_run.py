"""One run of the assets, as a run worker does it: `python -m benchmarks.load_run`.

The location's executor starts a process for the step. Its seconds are printed as JSON: from the
moment at which the executor starts it to the end of the step, as the run's events have them.
"""

from __future__ import annotations

import json

import dagster as dg

from benchmarks.flight_ops import ASSETS
from code_locations.ingestion.definitions import defs

STARTED = dg.DagsterEventType.STEP_WORKER_STARTING
ENDED = dg.DagsterEventType.STEP_SUCCESS


def load_job() -> dg.JobDefinition:
    """Return the job; the step process finds it by this function."""
    job = dg.define_asset_job("load", selection=ASSETS)
    return dg.Definitions.merge(defs, dg.Definitions(jobs=[job])).resolve_job_def("load")


def main() -> None:
    """Run the assets and print the seconds of their step."""
    with dg.DagsterInstance.get() as instance:
        job = dg.reconstructable(load_job)
        result = dg.execute_job(job, instance, raise_on_error=True)
        events = instance.all_logs(result.run_id)
    at = {event.dagster_event_type: event.timestamp for event in events}
    print(json.dumps({"seconds": at[ENDED] - at[STARTED]}))


if __name__ == "__main__":
    main()

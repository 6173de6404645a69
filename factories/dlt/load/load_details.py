"""What dagster-dlt's users know of a load: its `jobs`, `dataset_name`, `started_at` and so on."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import dlt
from dlt.common.pipeline import LoadInfo

# Of one load of one resource, in metadata: it lies in Dagster's event storage.
MOST_JOBS = 100
# What says where a file lay on the machine of the step.
LOCAL_KEYS = frozenset({"file_path"})


def load_details(
    opened: dlt.Pipeline, loaded: LoadInfo | None, tables: Collection[str]
) -> dict[str, Any]:
    """Return dagster-dlt's metadata of a load, for a resource.

    Args:
        opened: The pipeline that has loaded.
        loaded: What dlt returns of a load; None when there was nothing to load.
        tables: The resource's table and its child tables; the jobs of these are listed.
    """
    destination = opened.destination
    details: dict[str, Any] = {
        "dataset_name": opened.dataset_name,
        "destination_name": destination.destination_name,
        "destination_type": destination.destination_type,
        "first_run": opened.first_run,
        "jobs": _jobs(loaded, tables),
        "dagster/storage_kind": destination.destination_name,
    }
    if loaded is not None and loaded.metrics:
        details["started_at"] = str(loaded.started_at)
        details["finished_at"] = str(loaded.finished_at)
    return details


def _jobs(loaded: LoadInfo | None, tables: Collection[str]) -> list[dict[str, Any]]:
    jobs = [
        job
        for package in (loaded.load_packages if loaded else ())
        for of_state in package.jobs.values()
        for job in of_state
        if job.job_file_info.table_name in tables
    ]
    return [
        {
            key: value if isinstance(value, str | int | float | None) else str(value)
            for key, value in job.asdict().items()
            if key not in LOCAL_KEYS
        }
        for job in jobs[:MOST_JOBS]
    ]

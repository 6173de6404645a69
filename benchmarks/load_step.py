"""What a step process does: load the code location, run the step, record it in the instance."""

from __future__ import annotations

import dagster as dg

from code_locations.ingestion.definitions import defs


def main() -> None:
    """Materialize every asset of the location in this process."""
    with dg.DagsterInstance.get() as instance:
        defs.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance)


if __name__ == "__main__":
    main()

"""The launcher of runs that `dagster.yaml` names.

A run whose `dp` was killed stays as it was, and keeps its slots of pools. By its tags the next `dp`
knows that nobody runs it any longer.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import dagster as dg

from factories.core.process_identity import SERVED_BY, SERVED_BY_VARIABLE

if TYPE_CHECKING:
    from dagster._core.launcher import LaunchRunContext


class OwnedRunLauncher(dg.DefaultRunLauncher):
    """Dagster's own launcher, which also tags each run with the `dp` whose Dagster runs it."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Tag the run, and launch it."""
        if served_by := os.environ.get(SERVED_BY_VARIABLE):
            self._instance.add_run_tags(context.dagster_run.run_id, {SERVED_BY: served_by})
        super().launch_run(context)

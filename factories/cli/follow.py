"""Launches the runs of one step of `dp run`'s plan, and follows them to their ends."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from factories.cli.api import FINAL, DagsterApi
from factories.cli.live_display import RunDisplay
from factories.cli.plan import Launchable, RunRefusedError
from factories.cli.progress import AssetProgress
from factories.cli.run_events import RunEvents

POLL_SECONDS = 0.5
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def run_step(
    api: DagsterApi,
    step: Sequence[Launchable],
    progress: Mapping[str, AssetProgress],
    display: RunDisplay,
) -> None:
    """Run what may run at once, until all of it has ended."""
    cursors: dict[str, str | None] = {}
    launched: dict[str, RunEvents] = {}
    try:
        for launchable in step:
            run_id = api.launch(launchable.assets, _tags(api, launchable))
            cursors[run_id] = None
            launched[run_id] = RunEvents(launchable, progress, display.say)
            for asset in launchable.assets:
                progress[asset.key].mark_queued(run_id)
        while cursors:
            message = ""
            for run_id in list(cursors):
                page = api.run(run_id, cursors[run_id])
                cursors[run_id] = page.cursor
                launched[run_id].take(page)
                message = launched[run_id].message or message
                if page.status in FINAL and not page.has_more:
                    del cursors[run_id]
                    launched[run_id].note_ended(page.status)
            display.refresh(message)
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        for run_id in cursors:
            api.terminate(run_id)
        raise RunRefusedError("Stopped; the runs were told to end too.") from None


def _tags(api: DagsterApi, launchable: Launchable) -> dict[str, str]:
    """Return the tags that make a run cover all partitions, as the UI's single-run backfill."""
    if not launchable.partitioned:
        return {}
    keys = api.partition_keys(launchable.assets[0])
    return {RANGE_START: keys[0], RANGE_END: keys[-1]}

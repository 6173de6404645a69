"""Launches the runs of one step of `dp run`'s plan, and follows them to their ends."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from factories.cli.running.live_display import RunDisplay
from factories.cli.running.plan import Launchable, RunRefusedError
from factories.cli.running.progress import AssetProgress
from factories.cli.running.run_events import RunEvents
from factories.cli.serving.api import FINAL, DagsterApi, RunPage
from factories.cli.serving.dead_runs import RETRY_RUN, WILL_RETRY
from factories.core.process_identity import LAUNCHED_BY, ProcessIdentity

POLL_SECONDS = 0.5
END_SECONDS = 90  # a step that loads may end what it has begun
LAST_LOOKS = 3  # the run whose launch was interrupted may appear only now
TERMINATE_SECONDS = 5  # a run that just starts may not hear it the first time
RETRY_SECONDS = 120  # the daemon looks every few seconds
TAG_SECONDS = 1  # whether a run is repeated is noted just after it has failed
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


@dataclass
class _Followed:
    """A run that is followed.

    Attributes:
        events: What it says of its assets.
        cursor: The last of its events that was read.
        ended_at: When its end was seen, in monotonic seconds.
    """

    events: RunEvents
    cursor: str | None = None
    ended_at: float | None = None


def run_step(
    api: DagsterApi,
    step: Sequence[Launchable],
    progress: Mapping[str, AssetProgress],
    display: RunDisplay,
) -> None:
    """Run what may run at once, until all of it has ended.

    A run that Dagster repeats, since a process of it was lost, ends with the last repetition.

    Raises:
        RunRefusedError: When this command is interrupted; the runs have been ended.
    """
    launched_by = {LAUNCHED_BY: str(ProcessIdentity.of_this())}
    followed: dict[str, _Followed] = {}
    try:
        for launchable in step:
            run_id = api.launch(launchable.assets, {**_tags(api, launchable), **launched_by})
            followed[run_id] = _Followed(RunEvents(launchable, progress, display.say))
            for asset in launchable.assets:
                progress[asset.key].mark_queued(run_id)
        while followed:
            for run_id in list(followed):
                _look(api, run_id, followed, display)
            messages = [each.events.message for each in followed.values()]
            display.refresh(messages[-1] if messages else "")
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        raise RunRefusedError(_end_runs(api, launched_by, display)) from None


def _look(
    api: DagsterApi, run_id: str, followed: dict[str, _Followed], display: RunDisplay
) -> None:
    """Take what is new of a run; when it has ended, follow the run that repeats it."""
    run = followed[run_id]
    page = api.run(run_id, run.cursor)
    run.cursor = page.cursor
    run.events.take(page)
    if page.status not in FINAL or page.has_more:
        return
    run.ended_at = run.ended_at or time.monotonic()
    if again := page.tags.get(RETRY_RUN):
        display.note(f"run {run_id[:8]} has failed, Dagster repeats it as {again[:8]}")
        followed[again] = _Followed(run.events.repeat(again))
    elif time.monotonic() - run.ended_at < _seconds_until_repeated(page):
        return
    else:
        run.events.note_ended(page.status)
    del followed[run_id]


def _seconds_until_repeated(page: RunPage) -> float:
    """Return how long to wait for the run that repeats one that has ended."""
    if page.status != "FAILURE":
        return 0
    return {"true": RETRY_SECONDS, "false": 0}.get(page.tags.get(WILL_RETRY, ""), TAG_SECONDS)


def _end_runs(api: DagsterApi, launched_by: Mapping[str, str], display: RunDisplay) -> str:
    """End this command's runs, and wait until they have ended; return what to say."""
    display.note("stopping; press Ctrl-C again to leave at once")
    deadline = time.monotonic() + END_SECONDS
    told: dict[str, float] = {}
    try:
        for look in count():
            left = api.unfinished_runs(launched_by)
            if not left and look >= LAST_LOOKS:
                break
            for run_id in left:
                if time.monotonic() - told.get(run_id, 0) > TERMINATE_SECONDS:
                    told[run_id] = time.monotonic()
                    api.terminate(run_id)
            if time.monotonic() > deadline:
                return "Stopped; the runs were told to end too, and have not."
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        return "Stopped at once; the runs were told to end too."
    return "Stopped; the runs have ended too."


def _tags(api: DagsterApi, launchable: Launchable) -> dict[str, str]:
    """Return the tags that make a run cover all partitions, as the UI's single-run backfill."""
    if not launchable.partitioned:
        return {}
    keys = api.partition_keys(launchable.assets[0])
    return {RANGE_START: keys[0], RANGE_END: keys[-1]}

"""`dp run`: materialize assets through Dagster's queue, launcher and step processes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from graphlib import CycleError, TopologicalSorter

from rich.console import Console

from factories.cli.api import FINAL, ApiError, AssetNode, DagsterApi
from factories.cli.dagster_process import DagsterProcessError, running_dagster
from factories.cli.live_display import RunDisplay
from factories.cli.progress import AssetProgress
from factories.cli.summary import print_summary
from factories.core.yaml.problems import did_you_mean, nearest

POLL_SECONDS = 0.5
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


class RunRefusedError(Exception):
    """Nothing was run; the text says why."""


@dataclass(frozen=True)
class Launchable:
    """Assets that go into one run: of one location, and all with partitions or all without.

    Attributes:
        assets: Each after those of them that it depends on.
        partitioned: Whether they have partitions.
    """

    assets: tuple[AssetNode, ...]
    partitioned: bool


def run_assets(selection: Sequence[str], *, as_json: bool) -> int:
    """Materialize assets and show how it goes.

    Args:
        selection: Asset keys or groups; empty for every asset of every code location.
        as_json: Print the final table as data, and nothing else.

    Returns:
        The exit status: 0 when every asset was materialized and every check passed.
    """
    console = Console(stderr=as_json)
    try:
        with console.status("starting Dagster") as status, running_dagster() as api:
            refuse_broken(api.load_errors())
            assets = select_assets(api.assets(), selection)
            status.stop()
            progress = {asset.key: AssetProgress(asset.key) for asset in assets}
            with RunDisplay(console, progress) as display:
                for step in plan(assets):
                    left = skip_downstream_of_failures(step, assets, progress)
                    _run(api, left, progress, display)
    except (RunRefusedError, ApiError, DagsterProcessError) as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    results = list(progress.values())
    if as_json:
        print(json.dumps([asdict(result) for result in results]))  # noqa: T201 - the command's output
    else:
        print_summary(console, results)
    return 0 if all(result.ok for result in results) else 1


def refuse_broken(load_errors: dict[str, str]) -> None:
    """Refuse to run while a code location cannot be loaded.

    Raises:
        RunRefusedError: With each location's report.
    """
    if load_errors:
        reports = [f"{name}: {message}" for name, message in load_errors.items()]
        raise RunRefusedError("\n".join(["A code location cannot be loaded.", *reports]))


def select_assets(assets: Sequence[AssetNode], selection: Sequence[str]) -> list[AssetNode]:
    """Return the assets that keys and groups name.

    Raises:
        RunRefusedError: When there is no asset, or a name stands for none.
    """
    if not selection:
        if not assets:
            raise RunRefusedError("The code locations have no assets.")
        return list(assets)
    names = {asset.key for asset in assets} | {asset.group for asset in assets}
    for word in selection:
        if word not in names:
            groups = sorted({asset.group for asset in assets})
            hint = did_you_mean(nearest(word, names)) or f"; groups: {', '.join(groups)}"
            raise RunRefusedError(f"{word!r} is neither an asset nor a group{hint}")
    return [asset for asset in assets if {asset.key, asset.group} & set(selection)]


def plan(assets: Iterable[AssetNode]) -> list[list[Launchable]]:
    """Return steps of runs: those of one step may run at once, each step after the one before.

    Within a run Dagster puts the assets in order. A run is of one code location, though, and the
    backfill, which spans them, begins what comes next only every 30 seconds: so `dp` itself orders
    the runs. Unpartitioned assets of a location share a run as far as nothing else comes between
    them; partitioned ones have a run for each op, over all their partitions.

    Raises:
        RunRefusedError: When the assets depend on each other in a circle.
    """
    by_key = {asset.key: asset for asset in assets}
    upstream = {
        key: [by_key[dep] for dep in asset.deps if dep in by_key and dep != key]
        for key, asset in by_key.items()
    }
    graph = {key: [asset.key for asset in found] for key, found in upstream.items()}
    try:
        order = [by_key[key] for key in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        circle = " → ".join(error.args[1])
        raise RunRefusedError(f"The assets depend on each other in a circle: {circle}") from None
    number: dict[str, int] = {}
    steps: dict[int, dict[tuple[str, str], list[AssetNode]]] = {}
    for asset in order:
        after = [number[up.key] + (not _may_share_run(up, asset)) for up in upstream[asset.key]]
        number[asset.key] = max(after, default=0)
        op = asset.op if asset.partitioned else ""
        runs = steps.setdefault(number[asset.key], {})
        runs.setdefault((asset.location, op), []).append(asset)
    return [
        [Launchable(tuple(run), bool(op)) for (_, op), run in sorted(runs.items())]
        for _, runs in sorted(steps.items())
    ]


def _may_share_run(first: AssetNode, second: AssetNode) -> bool:
    partitioned = first.partitioned or second.partitioned
    return not partitioned and first.location == second.location


def skip_downstream_of_failures(
    step: Iterable[Launchable],
    assets: Iterable[AssetNode],
    progress: Mapping[str, AssetProgress],
) -> list[Launchable]:
    """Return a step without the assets that something failed upstream of; they are skipped.

    Within a run Dagster does this itself.
    """
    failures = _failures(assets, progress)
    left = []
    for launchable in step:
        kept = []
        for asset in launchable.assets:  # each after those that it depends on
            if upstream := failures & set(asset.deps):
                progress[asset.key].mark_skipped(min(upstream))
                failures.add(asset.key)
            else:
                kept.append(asset)
        if kept:
            left.append(Launchable(tuple(kept), launchable.partitioned))
    return left


def note_ended(
    launchable: Launchable, progress: Mapping[str, AssetProgress], run_status: str
) -> None:
    """Note how the assets of a run have ended; what something failed upstream of was skipped.

    Args:
        launchable: The assets.
        progress: Of all assets, by their keys; says already what was materialized.
        run_status: Dagster's.
    """
    for asset in launchable.assets:
        progress[asset.key].mark_ended(run_status)
    failures = _failures(launchable.assets, progress)
    for asset in launchable.assets:
        upstream = failures & set(asset.deps) - {asset.key}
        if upstream and progress[asset.key].status == "failed":
            progress[asset.key].mark_skipped(min(upstream))


def _failures(assets: Iterable[AssetNode], progress: Mapping[str, AssetProgress]) -> set[str]:
    """Return the assets for which those downstream are skipped."""
    return {
        asset.key
        for asset in assets
        if progress[asset.key].status in {"failed", "skipped", "canceled"}
        or asset.blocking_checks & set(progress[asset.key].failed_checks)
    }


def _run(
    api: DagsterApi,
    step: Sequence[Launchable],
    progress: dict[str, AssetProgress],
    display: RunDisplay,
) -> None:
    cursors: dict[str, str | None] = {}
    launched: dict[str, Launchable] = {}
    for launchable in step:
        run_id = api.launch(launchable.assets, _tags(api, launchable))
        cursors[run_id] = None
        launched[run_id] = launchable
        for asset in launchable.assets:
            progress[asset.key].mark_queued(run_id)
    try:
        while cursors:
            for run_id in list(cursors):
                page = api.run(run_id, cursors[run_id])
                cursors[run_id] = page.cursor
                display.take([asset.key for asset in launched[run_id].assets], page)
                if page.status in FINAL and not page.has_more:
                    del cursors[run_id]
                    note_ended(launched[run_id], progress, page.status)
            display.refresh()
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

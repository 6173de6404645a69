"""Which runs `dp run` launches, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from factories.cli.running.progress import AssetProgress
from factories.cli.serving.api import AssetNode


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


def refuse_broken(load_errors: dict[str, str]) -> None:
    """Refuse to run while a code location cannot be loaded.

    Raises:
        RunRefusedError: With each location's report.
    """
    if load_errors:
        reports = [f"{name}: {message}" for name, message in load_errors.items()]
        raise RunRefusedError("\n".join(["A code location cannot be loaded.", *reports]))


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
    failed = failures(assets, progress)
    left = []
    for launchable in step:
        kept = []
        for asset in launchable.assets:  # each after those that it depends on
            if upstream := failed & set(asset.deps):
                progress[asset.key].mark_skipped(min(upstream))
                failed.add(asset.key)
            else:
                kept.append(asset)
        if kept:
            left.append(Launchable(tuple(kept), launchable.partitioned))
    return left


def failures(assets: Iterable[AssetNode], progress: Mapping[str, AssetProgress]) -> set[str]:
    """Return the assets for which those downstream are skipped."""
    return {
        asset.key
        for asset in assets
        if progress[asset.key].status in {"failed", "skipped", "canceled"}
        or asset.blocking_checks & _failed_for_good(progress[asset.key])
    }


def _failed_for_good(progress: AssetProgress) -> set[str]:
    """Return the checks that failed with an error: Dagster goes on after a warning."""
    return {*progress.failed_checks} - {*progress.warned_checks}

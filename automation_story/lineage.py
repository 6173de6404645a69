"""Says what conditions are to make, in which order, and what was made for no cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from automation_story.instance_facts import Made
from factories.cli.looking.assets import ProjectAsset

Upstream = Mapping[str, list[str]]  # of each asset, those upstream of it that are made, too
TICKED = "the cron ticked at"


def find_automated(assets: Sequence[ProjectAsset]) -> dict[str, list[str]]:
    """Return the assets that conditions make, with what is upstream of each.

    What is manual is left out, and so is what is downstream of it.
    """
    made = {asset.key: asset for asset in assets if asset.report.produced}
    left_out = {key for key, asset in made.items() if asset.report.condition is None}
    while more := {
        key
        for key, asset in made.items()
        if key not in left_out and left_out & set(asset.report.deps)
    }:
        left_out |= more
    return {
        key: sorted(set(asset.report.deps) & made.keys())
        for key, asset in made.items()
        if key not in left_out
    }


def find_wrong_order(upstream: Upstream, made: Mapping[str, Sequence[Made]]) -> Iterator[str]:
    """Yield each asset whose first materialization came before one upstream of it."""
    for asset, parents in upstream.items():
        for parent in parents:
            if made[asset][0].event < made[parent][0].event:
                yield f"{asset} was made before {parent}"


def find_doubles(made: Mapping[str, Sequence[Made]]) -> Iterator[str]:
    """Yield what was made again though nothing asked for it: one tick, or no newer upstream."""
    for asset, all_made in made.items():
        ticks: set[str] = set()
        for before, after in zip([None, *all_made], all_made, strict=False):
            own = {cause for cause in after.causes if cause.startswith(TICKED)}
            if not after.again:
                if not after.causes:
                    yield f"{asset}: run {after.run[:8]} has no cause"
                elif own & ticks:
                    yield f"{asset}: run {after.run[:8]} was there for {own & ticks} once more"
                elif before and not own and not _is_newer(before, after):
                    yield f"{asset}: run {after.run[:8]} had nothing new to see: {after.causes}"
            ticks |= own


def _is_newer(before: Made, after: Made) -> bool:
    return any(event > before.seen.get(parent, 0) for parent, event in after.seen.items())

"""What will run because of a change, and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from factories.cli.changes.words import name_some


@dataclass(frozen=True)
class Place:
    """An asset that a location makes, and what `location_snapshot` tells of it."""

    location: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class NextRun:
    """An asset that will run because of a change, and when."""

    location: str
    key: str
    when: str


def next_runs(old: Mapping[str, Place], new: Mapping[str, Place]) -> Iterator[NextRun]:
    """Yield what runs because of a change: what is made otherwise, and what follows it."""
    first = {
        key
        for key, place in new.items()
        if key not in old
        or old[key].facts["code"] != place.facts["code"]
        or old[key].facts["reads"] != place.facts["reads"]
    }
    readers: defaultdict[str, list[str]] = defaultdict(list)
    for name, place in new.items():
        for read in place.facts["reads"]:
            readers[read].append(name)
    reached = set(first)
    waiting = list(first)
    while waiting:
        for name in readers[waiting.pop()]:
            if name not in reached:
                reached.add(name)
                waiting.append(name)
    for key in sorted(reached, key=lambda key: (new[key].location, key)):
        place = new[key]
        if key in first:
            yield NextRun(place.location, key, describe_when(place.facts))
            continue
        condition = place.facts["condition"]
        if condition and condition["label"].startswith("on_upstream_change"):
            causes = [read for read in place.facts["reads"] if read in reached]
            yield NextRun(place.location, key, f"follows {name_some(causes)}")
        elif condition:
            yield NextRun(place.location, key, describe_when(place.facts))


def describe_when(facts: Mapping[str, Any]) -> str:
    """Return when an asset runs next, by its condition."""
    condition = facts["condition"]
    if condition is None:
        return "runs when a person or a job asks for it"
    label = condition["label"]
    if label.startswith("on_cron"):
        return f"runs at the next tick: {label}"
    if label.startswith("on_upstream_change"):
        return "runs when an upstream asset is updated"
    return f"runs by {label}"

"""What a change does to the asset graph: two builds of the definitions, compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from factories.cli.changes.lost_columns import Build, Tables, find_losses, find_unknown
from factories.cli.changes.next_runs import NextRun, Place, describe_when, next_runs
from factories.cli.changes.words import name_some

Graph = Mapping[str, Mapping[str, Any]]  # what `location_snapshot` tells, by code location

ADDED, REMOVED, RENAMED, CHANGED = "added", "removed", "renamed", "changed"
PLAIN_FACTS = ("table", "group", "partitions")
NO_TABLES: tuple[Tables, Tables] = ({}, {})


@dataclass(frozen=True, order=True)
class Difference:
    """One thing that a change does.

    Attributes:
        location: The code location.
        subject: An asset's key, or what else differs, such as `schedule nightly`.
        kind: `added`, `removed`, `renamed` or `changed`.
        text: What a reviewer has to know, in one line.
    """

    location: str
    subject: str
    kind: str
    text: str


@dataclass(frozen=True)
class Plan:
    """What a change does before it is deployed.

    Attributes:
        differences: In the order of locations and keys.
        runs: What will therefore run again.
        errors: The locations that could not be built, with the reason.
        unknown: The assets whose columns only the warehouse could tell, with the reason.
    """

    differences: list[Difference]
    runs: list[NextRun]
    errors: dict[str, str]
    unknown: dict[str, str]


def compare(before: Graph, after: Graph, tables: tuple[Tables, Tables] = NO_TABLES) -> Plan:
    """Return what a change does.

    Args:
        before: The locations as they are deployed.
        after: The locations with the change.
        tables: What the SQL of dbt's nodes says of columns, before and after.
    """
    errors = {name: found["error"] for name, found in after.items() if found["error"]}
    broken = {name for graph in (before, after) for name, found in graph.items() if found["error"]}
    for name in sorted(broken - errors.keys()):
        errors[name] = f"it could not be built before the change: {before[name]['error']}"
    old, new = (_places(graph, broken) for graph in (before, after))
    renamed = _renamed(old, new)
    differences = [*_asset_differences(old, new, renamed), *_losses(old, new, tables)]
    whole = {found.subject for found in differences if found.kind in {ADDED, REMOVED}}
    for kind in ("checks", "jobs", "schedules", "sensors"):
        for location in sorted({*before, *after} - broken):
            was, now = (graph.get(location, {}).get(kind, {}) for graph in (before, after))
            if kind == "checks":
                was = _checks_by_new_keys(was, now, renamed)
            found = OTHERS[kind](location, was, now)
            differences += [one for one in found if one.subject not in whole]
    keys = {place.facts["table"]: key for key, place in new.items()}
    unknown = find_unknown(*tables, keys)
    return Plan(sorted(set(differences)), [*next_runs(old, new)], errors, unknown)


def _places(graph: Graph, broken: Iterable[str]) -> dict[str, Place]:
    """Return the assets that locations make, with the location of each."""
    return {
        key: Place(location, facts)
        for location, found in graph.items()
        if location not in broken
        for key, facts in found["assets"].items()
        if facts["produced"]
    }


def _renamed(old: Mapping[str, Place], new: Mapping[str, Place]) -> dict[str, str]:
    """Return the former keys of assets that make the same table under another key."""
    gone = {place.facts["table"]: key for key, place in old.items() if key not in new}
    return {
        key: gone[table]
        for key, place in new.items()
        if key not in old and (table := place.facts["table"]) and table in gone
    }


def _checks_by_new_keys(
    before: Mapping[str, Any], after: Mapping[str, Any], renamed: Mapping[str, str]
) -> dict[str, Mapping[str, Any]]:
    """Return the former checks, each of the asset that took over the table of its own."""
    keys = {former: key for key, former in renamed.items()}
    moved = [
        # Another location may check the former key: it does not know of the new one.
        check if name in after else {**check, "asset": keys.get(check["asset"], check["asset"])}
        for name, check in before.items()
    ]
    return {f"{check['asset']}:{check['name']}": check for check in moved}


def _asset_differences(
    old: Mapping[str, Place], new: Mapping[str, Place], renamed: Mapping[str, str]
) -> Iterator[Difference]:
    for key, place in new.items():
        if key in renamed:
            former, table = renamed[key], place.facts["table"]
            text = f"was {former}: the same table {table}, but its history stays with the old key"
            if readers := _readers(former, new):
                text += f", which is still read by {name_some(readers)}"
            yield Difference(place.location, key, RENAMED, text)
        elif key not in old:
            made = place.facts["table"] or ", ".join(place.facts["kinds"])
            yield Difference(
                place.location, key, ADDED, f"makes {made}; {describe_when(place.facts)}"
            )
        else:
            yield from _changes(key, old[key], place)
    for key, place in old.items():
        if key not in new and key not in renamed.values():
            table = place.facts["table"]
            rest = f"its table {table} stays in the warehouse" if table else "what it made stays"
            if readers := _readers(key, new):
                rest += f"; still read by {name_some(readers)}"
            yield Difference(place.location, key, REMOVED, rest)


def _readers(key: str, new: Mapping[str, Place]) -> list[str]:
    return [name for name, other in new.items() if key in other.facts["reads"]]


def _changes(key: str, old: Place, new: Place) -> Iterator[Difference]:
    before, after = old.facts, new.facts
    location = new.location
    if old.location != location:
        text = f"moves from {old.location}: remove it there and add it here in one deployment"
        yield Difference(location, key, CHANGED, text)
    for text in [*_fact_changes(before, after), *_set_changes(before, after)]:
        yield Difference(location, key, CHANGED, text)
    if condition := _condition_change(before["condition"], after["condition"]):
        yield Difference(location, key, CHANGED, condition)
    if before["code"] != after["code"]:
        text = f"its code has changed; {describe_when(after)}"
        yield Difference(location, key, CHANGED, text)


def _losses(
    old: Mapping[str, Place], new: Mapping[str, Place], tables: tuple[Tables, Tables]
) -> Iterator[Difference]:
    before, after = (
        Build({key: place.facts for key, place in places.items()}, found)
        for places, found in zip((old, new), tables, strict=True)
    )
    for key, text in find_losses(before, after):
        yield Difference(new[key].location, key, CHANGED, text)


def _fact_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for fact in PLAIN_FACTS:
        if before[fact] != after[fact]:
            text = f"{fact} {before[fact] or 'none'} → {after[fact] or 'none'}"
            if fact == "partitions":
                text += "; what was made of the former partitions does not count for the new ones"
            elif fact == "table":
                text += "; the former one stays in the warehouse"
            yield text


def _set_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for fact in ("owners", "kinds", "reads"):
        if text := _set_change(before[fact], after[fact]):
            yield f"{fact} {text}"
    for fact in ("tags", "freshness"):
        if text := _mapping_change(before[fact] or {}, after[fact] or {}):
            yield f"{fact} {text}"


def _condition_change(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> str | None:
    if before == after:
        return None
    settings = [found["settings"] if found else {} for found in (before, after)]
    name = settings[1].get("name")
    if name and settings[0].get("name") == name and settings[0] != settings[1]:
        return f"{name}: {_mapping_change(*settings)}"
    labels = [found["label"] if found else "no condition" for found in (before, after)]
    return f"condition {labels[0]} → {labels[1]}"


def _set_change(before: Sequence[str], after: Sequence[str]) -> str:
    added = [f"+ {one}" for one in after if one not in before]
    return " ".join([*added, *(f"- {one}" for one in before if one not in after)])


def _mapping_change(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return the entries that differ, each as `name old → new`."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return ", ".join(
        f"{name} {before.get(name, 'none')} → {after.get(name, 'none')}" for name in names
    )


def _check_differences(
    location: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Difference]:
    for name, check in after.items():
        if name not in before:
            word = "a blocking check" if check["blocking"] else "a check"
            text = f"{word} {check['name']} is added"
            yield Difference(location, check["asset"], CHANGED, text)
        elif before[name]["blocking"] != check["blocking"]:
            verb = "now holds back" if check["blocking"] else "no longer holds back"
            text = f"its check {check['name']} {verb} what is downstream"
            yield Difference(location, check["asset"], CHANGED, text)
    for name, check in before.items():
        if name not in after:
            text = f"its check {check['name']} is removed"
            yield Difference(location, check["asset"], CHANGED, text)


def _job_differences(
    location: str, before: Sequence[str], after: Sequence[str]
) -> Iterator[Difference]:
    for name in sorted({*before, *after}):
        if name not in before:
            yield Difference(location, f"job {name}", ADDED, "a new job")
        elif name not in after:
            text = "what starts it by its name, such as a script, fails"
            yield Difference(location, f"job {name}", REMOVED, text)


def _ticking_differences(word: str) -> Any:
    def differences(
        location: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> Iterator[Difference]:
        for name, facts in after.items():
            subject = f"{word} {name}"
            if name not in before:
                state = "on" if facts["on"] else "off until it is switched on"
                cron = f"{facts['cron']}, " if "cron" in facts else ""
                yield Difference(location, subject, ADDED, f"{cron}{state}")
            elif text := _mapping_change(before[name], facts):
                yield Difference(location, subject, CHANGED, text)
        for name in before:
            if name not in after:
                yield Difference(location, f"{word} {name}", REMOVED, "it ticks no more")

    return differences


OTHERS: Mapping[str, Any] = {
    "checks": _check_differences,
    "jobs": _job_differences,
    "schedules": _ticking_differences("schedule"),
    "sensors": _ticking_differences("sensor"),
}

"""The cursors of what resources read from: each resource has its own place in it.

To dlt a cursor belongs to the resource that has it: `users`, from which `logins` and `visits` are
made. Loading `logins` alone would move it past rows that `visits`, and the table of `users`, never
get. So the pipeline's state also says at whose place that cursor is, and keeps the places of those
that were not loaded with them. Resources at one place are loaded together, and what they read from
is read once; others are loaded one after the other, and are at one place again when they reach it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from dlt.extract import DltSource

from factories.dlt.dlt_internals import read_for

# Within the source's part of the state, beside dlt's own `resources`.
READERS = "_readers"


def loaded_together(
    source: DltSource, names: Sequence[str], state: Mapping[str, Any], full_refresh: Collection[str]
) -> list[str]:
    """Return the first resource, and those that can be loaded in one with it.

    They read from each other or from the same, and are at the same place in it.

    Args:
        source: The source.
        names: Resources that it has.
        state: The source's part of the pipeline's state.
        full_refresh: The resources that begin at their cursors' initial values.
    """
    first = read_for(source.resources[names[0]])
    places: dict[str, Any] = {}
    together = []
    for name in names:
        read = read_for(source.resources[name])
        if read[-1] != first[-1] or (name in full_refresh) != (names[0] in full_refresh):
            continue
        here = {each: _comparable(_place(state, each, name)) for each in read}
        if all(places.get(each, here[each]) == here[each] for each in here):
            places |= here
            together.append(name)
    return together


def set_cursors(
    source: DltSource, state: dict[str, Any], full_refresh: Collection[str], *, partitioned: bool
) -> None:
    """Put dlt's cursors to the place of the selected resources, and keep those of the others.

    Args:
        source: The source, with resources selected that are at one place.
        state: The source's part of the pipeline's state, which is changed.
        full_refresh: The resources that begin at their cursors' initial values.
        partitioned: Whether the run is for partitions: what these read from is read from the
            start, and no place in it is kept.
    """
    selected = source.selected_resources
    readers: dict[str, list[str]] = {}
    for name in selected:
        for each in read_for(source.resources[name]):
            readers.setdefault(each, []).append(name)
    for each, names in readers.items():
        if partitioned and each in selected:
            continue  # its window leaves the state alone
        begins = partitioned or names[0] in full_refresh
        place = None if begins else _place(state, each, names[0])
        kept = {
            name: kept for name, kept in _find_kept_places(state, each).items() if name not in names
        }
        _set(state, each, place, [] if partitioned else names, kept)


def _place(state: Mapping[str, Any], read: str, name: str) -> Any:
    """Return where a resource is in what is read for it; None when it is at the start."""
    return _find_kept_places(state, read).get(name)


def _find_kept_places(state: Mapping[str, Any], read: str) -> dict[str, Any]:
    """Return the places of all that are past the start."""
    noted = state.get(READERS, {}).get(read, {"at": [read], "kept": {}})
    dlts = state.get("resources", {}).get(read)
    return {**noted["kept"], **(dict.fromkeys(noted["at"], dlts) if dlts else {})}


def _set(
    state: dict[str, Any], read: str, place: Any, names: list[str], kept: Mapping[str, Any]
) -> None:
    if place is None:
        state.get("resources", {}).pop(read, None)
    else:
        state.setdefault("resources", {})[read] = place
    if names == [read] and not kept:  # as dlt has it
        state.get(READERS, {}).pop(read, None)
    else:
        state.setdefault(READERS, {})[read] = {"at": sorted(names), "kept": dict(kept)}


def _comparable(place: Any) -> Any:
    """Return a place without the order of lists, in which dlt keeps sets."""
    if isinstance(place, Mapping):
        return {key: _comparable(value) for key, value in place.items()}
    if isinstance(place, Iterable) and not isinstance(place, str | bytes):
        return sorted(map(repr, place))
    return place

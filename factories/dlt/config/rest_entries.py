"""The entries of a `rest_api` source's `resources`, as YAML has them: a name, or a mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def entry_name(entry: Any) -> str | None:
    """Return the name of an entry, None when it has none; as dlt derives it."""
    name = entry.get("name") if isinstance(entry, Mapping) else entry
    return name if isinstance(name, str) else None


def entry_names(config: Any) -> Iterator[str]:
    """Yield the names of the entries that have one; the configuration may have mistakes."""
    entries = config.get("resources") if isinstance(config, Mapping) else None
    for entry in entries if isinstance(entries, list) else ():
        if (name := entry_name(entry)) is not None:
            yield name


def endpoint_of(entry: Any) -> dict[str, Any]:
    """Return an entry's endpoint; one that is a text is its path."""
    endpoint = entry.get("endpoint") if isinstance(entry, Mapping) else None
    if isinstance(endpoint, str):
        return {"path": endpoint}
    return endpoint if isinstance(endpoint, dict) else {}


def has_own_cursor(rest_api: Any, name: str) -> bool:
    """Tell whether an endpoint, or what holds for all, has an `incremental` under `source`."""
    if not isinstance(rest_api, Mapping) or not isinstance(rest_api.get("resources"), list):
        return False
    holders = [entry for entry in rest_api["resources"] if entry_name(entry) == name]
    holders.append(rest_api.get("resource_defaults"))
    return any("incremental" in endpoint_of(holder) for holder in holders)


def with_cursors(
    rest_api: Mapping[str, Any], cursors: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a `rest_api` configuration with these cursors as its endpoints' `incremental`.

    Args:
        rest_api: dlt's configuration; it stays as it is.
        cursors: The arguments of `incremental`, by the resource's name.
    """
    resources = []
    for item in rest_api["resources"]:
        name = entry_name(item)
        if name is not None and name in cursors:
            entry = {"name": item, "endpoint": item} if isinstance(item, str) else dict(item)
            endpoint = {**endpoint_of(entry), "incremental": dict(cursors[name])}
            resources.append({**entry, "endpoint": endpoint})
        else:
            resources.append(item)
    return {**rest_api, "resources": resources}

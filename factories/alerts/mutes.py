"""What is not told for a while: a route, or an asset; kept in the instance."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import dagster as dg
from pydantic import BaseModel, TypeAdapter

MUTES = "dp/alerts/mutes"


class Mute(BaseModel):
    """One thing that is not told for a while.

    Attributes:
        name: A route, or an asset's key.
        until: When that ends, in seconds since 1970.
        reason: Why.
        by: Who made it.
    """

    name: str
    until: float
    reason: str = ""
    by: str = ""


_MUTES = TypeAdapter(list[Mute])


def read_mutes(instance: dg.DagsterInstance, now: float) -> list[Mute]:
    """Return the mutes that have not ended."""
    text = instance.daemon_cursor_storage.get_cursor_values({MUTES}).get(MUTES, "[]")
    return [mute for mute in _MUTES.validate_json(text) if mute.until > now]


def add_mute(instance: dg.DagsterInstance, mute: Mute, now: float) -> None:
    """Add a mute, in place of an earlier one of the same name; one that has ended only goes."""
    kept = [each for each in read_mutes(instance, now) if each.name != mute.name]
    kept += [mute] if mute.until > now else []
    text = json.dumps([each.model_dump() for each in kept])
    instance.daemon_cursor_storage.set_cursor_values({MUTES: text})


def is_muted(mutes: Sequence[Mute], route: str, assets: Iterable[str]) -> bool:
    """Tell whether a route is muted, or everything that an incident concerns."""
    names = {mute.name for mute in mutes}
    concerned = {*assets}
    return route in names or (bool(concerned) and concerned <= names)

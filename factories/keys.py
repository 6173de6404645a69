"""Asset keys: `<system>/<layer>/<table>`."""

from __future__ import annotations

import re

import dagster as dg

NOT_IN_A_KEY = re.compile(r"[^a-z0-9_]+")


def key_part(text: str) -> str:
    """Return text as one part of an asset key: lower case, letters, digits and `_`.

    Example:
        >>> key_part("Flight Ops")
        'flight_ops'
    """
    return NOT_IN_A_KEY.sub("_", text.lower()).strip("_")


def asset_key(system: str, layer: str, table: str) -> dg.AssetKey:
    """Return the key that the convention gives a table of a system."""
    return dg.AssetKey([key_part(system), layer, key_part(table)])


def parse_key(text: str) -> dg.AssetKey:
    """Return the key that `flight_ops/raw/flights` in YAML stands for."""
    return dg.AssetKey(text.split("/"))

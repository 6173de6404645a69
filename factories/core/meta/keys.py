"""Asset keys: `<system>/<layer>/<table>`."""

from __future__ import annotations

import keyword
import re
from functools import lru_cache
from typing import Annotated

import dagster as dg
from pydantic import AfterValidator, BeforeValidator, StrictStr

from factories.core.yaml.models import as_list
from factories.core.yaml.problems import did_you_mean

KEY_PART = re.compile(r"[A-Za-z0-9_.-]+")
# What Dagster names no output and no input of a step, for its own use or Python's
# (dagster/_core/definitions/utils.py, 1.13.27).
RESERVED = frozenset(keyword.kwlist) | {
    "context", "conf", "config", "meta", "arg_dict", "dict", "input_arg_dict", "output_arg_dict",
    "int", "str", "float", "bool", "input", "output", "type",
}  # fmt: skip
NOT_IN_A_KEY = re.compile(r"[^a-z0-9_]+")


@lru_cache(maxsize=16384)
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


def _check_asset_key(value: str) -> str:
    if "." in value and "/" not in value:  # a table's name: as one part it would name no asset
        meant = value.replace(".", "/")
        raise ValueError(f"{value!r} is not an asset key{did_you_mean(meant)}")
    if not all(KEY_PART.fullmatch(part) for part in value.split("/")):
        raise ValueError(f"{value!r} is not an asset key like flight_ops/raw/flights")
    if value in RESERVED:
        raise ValueError(f"{value!r} is a word of Dagster or Python: give the key two parts")
    return value


AssetKeyText = Annotated[StrictStr, AfterValidator(_check_asset_key)]
AssetKeyNames = Annotated[tuple[AssetKeyText, ...], BeforeValidator(as_list)]


def parse_key(text: str) -> dg.AssetKey:
    """Return the asset key for text such as `flight_ops/raw/flights`."""
    return dg.AssetKey(text.split("/"))

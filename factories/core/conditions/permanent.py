"""Failures that trying again cannot mend: nobody asks for what they failed to make again.

A step says so in the metadata of its failure, by the keys of its assets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import dagster as dg

PERMANENT = "permanent"
# What the four tools say of a refused login, a broken contract and wrong SQL or configuration. The
# numbers are Snowflake's (250001, 390100 and 390144 are refused logins).
TEXTS = re.compile(
    r"Incorrect username or password|\b(390100|390144|390190|390422)\b|JWT token is invalid"
    r"|password authentication failed|Access denied for user|\b401\b.*Unauthorized"
    r"|schema contract|does not hold the contract|Compilation Error|Env var required but not"
    r" provided",
    re.IGNORECASE,
)


def is_permanent(reason: str) -> bool:
    """Tell whether a failure's text says that trying again cannot mend it."""
    return TEXTS.search(reason) is not None


def permanent_metadata(keys: Iterable[dg.AssetKey]) -> dict[str, dg.MetadataValue]:
    """Return the metadata of a failure that is permanent for some assets; empty for none."""
    named = sorted(key.to_user_string() for key in keys)
    return {PERMANENT: dg.MetadataValue.json(named)} if named else {}


def read_permanent(failure: Any) -> set[str]:
    """Return the keys of the assets for which a step's failure is permanent.

    Args:
        failure: What the step said, as Dagster stores it; None when it said nothing.
    """
    value = failure.metadata.get(PERMANENT) if failure else None
    if isinstance(value, dg.JsonMetadataValue) and isinstance(value.value, list):
        return set(map(str, value.value))
    return set()

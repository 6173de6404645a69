"""How a plan names several things in one line."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 3


def name_some(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    shown = ", ".join(names[:MOST])
    return f"{shown} and {len(names) - MOST} more" if len(names) > MOST else shown

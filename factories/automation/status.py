"""Whether a schedule or sensor is on when it is first loaded, and what the UI says of that."""

from __future__ import annotations

import os
from collections.abc import Mapping

from factories.automation.schema import AutomatedItem
from factories.core.meta.environments import why_off_here


def is_on(item: AutomatedItem, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether it is on: where it is for, unless `DP_AUTOMATION` is `off`."""
    return item.enabled and why_off(item, environ) is None


def describe(item: AutomatedItem, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return its description, which says why it is off where the file alone does not tell."""
    parts = (item.description, why_off(item, environ))
    return "\n\n".join(part for part in parts if part) or None


def why_off(item: AutomatedItem, environ: Mapping[str, str]) -> str | None:
    """Return why this process's environment keeps it off, as a sentence; None when it does not."""
    if text := why_off_here(item.environments, environ):
        return text
    if environ.get("DP_AUTOMATION") == "off":
        return "Switched off here by DP_AUTOMATION."
    return None

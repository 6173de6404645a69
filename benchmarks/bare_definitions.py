"""What the bare builds share: assets written out in Python, with no YAML and nothing to run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg

CRON = "0 5 * * *"
OWNER = "team:data-platform"
Build = Callable[[], dg.Definitions]


def code_reference(path: Path, line: int) -> dg.CodeReferencesMetadataValue:
    """Return the place in a file that an asset's page links to."""
    place = dg.LocalFileCodeReference(
        file_path=str(path), line_number=line, label=f"{path.name}:{line}"
    )
    return dg.CodeReferencesMetadataValue(code_references=[place])


def make_bare_multi_asset(tool: str, system: str, specs: list[dg.AssetSpec]) -> dg.AssetsDefinition:
    """Return the asset of one file, which does nothing."""

    @dg.multi_asset(
        name=f"{tool}__{system}",
        specs=specs,
        can_subset=True,
        pool=f"{tool}_{system}",
    )
    def nothing() -> Iterator[dg.MaterializeResult[Any]]:
        yield from ()

    return nothing

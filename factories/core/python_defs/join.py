"""A team's own Python: read from files and from what `build_definitions` is given, and joined."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import dagster as dg

from factories.core.assets.context import LoadContext, Origin
from factories.core.assets.specs import CODE_REFERENCES, code_reference
from factories.core.project import MARKER
from factories.core.python_defs.conflicts import asset_keys
from factories.core.python_defs.declarations import Declarations, Declared, PlacesOf
from factories.core.python_defs.error_places import caller_place
from factories.core.python_defs.files import read_python_files
from factories.core.yaml.reader import display_name


def read_python(
    load_context: LoadContext,
    *,
    folder: Path | None,
    given: dg.Definitions,
    frame: FrameType | None,
) -> Declarations:
    """Return what Python declares for a code location.

    Args:
        load_context: Receives the problems of files.
        folder: The folder of the location's Python files, where it has one.
        given: What the code location's own module gives.
        frame: Of the call that gives it.
    """
    found = Declarations()
    place = caller_place(frame, load_context.root)
    called = (
        Origin(display_name(place[0], load_context.root), place[1]) if place else Origin(MARKER, 0)
    )
    found.add_definitions(given, PlacesOf(called, load_context.root))
    if folder is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)  # of the named conditions
            read_python_files(folder, load_context, found)
    return found


def join_assets(made: Iterable[Any], own: Declarations, root: Path) -> list[Any]:
    """Return the assets of YAML and of Python, each with its place for the UI and for `dp check`.

    Of a key that YAML only declares, for something else produces it, Python's asset is taken.
    """
    keys = {key for asset in own.values("assets") for key in asset_keys(asset)}
    kept = [asset for asset in made if not (isinstance(asset, dg.AssetSpec) and asset.key in keys)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # code references
        return [*kept, *(_add_place(declared, root) for declared in own.by_kind["assets"])]


def _add_place(declared: Declared, root: Path) -> Any:
    origin, asset = declared.origin, declared.value
    reference = code_reference(root / origin.file, origin.line)

    def add_place(spec: dg.AssetSpec) -> dg.AssetSpec:
        known = CODE_REFERENCES in spec.metadata
        return spec if known else spec.merge_attributes(metadata={CODE_REFERENCES: reference})

    if isinstance(asset, dg.AssetSpec):
        return add_place(asset)
    if isinstance(asset, dg.AssetsDefinition) and asset.keys:
        return asset.map_asset_specs(add_place)
    return asset

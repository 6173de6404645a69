"""The tables that a dbt project reads and does not build: their keys, and their blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from factories.core.assets.context import LoadContext
from factories.core.dagster_internals import is_reconstruction
from factories.core.meta.built_in_conditions import on_upstream_change
from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.meta.keys import parse_key
from factories.core.meta.named_conditions import Condition
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import display_name
from factories.dbt.project.blocks import BlockPlaces, DbtBlocks
from factories.dbt.project.keys import is_external, source_key
from factories.dbt.project.manifest import Source
from factories.dbt.project.properties import PropertiesFiles
from factories.dbt.project.source_files import PROJECT_FILE

# What the block of a source may say: its key, and when its checks run.
OF_CHECKS = ("asset_key", "automation_condition", "automation_condition_config")
# And, of a table that nothing in Dagster produces, what the catalog shows.
OF_EXTERNAL = (*OF_CHECKS, "description", "group", "kinds", "owners", "tags")


@dataclass(frozen=True)
class SourceTable:
    """A source's table as an asset that this location does not produce.

    Attributes:
        source: What dbt says of it.
        key: The asset.
        meta: Its `meta.dagster` block.
        is_external: Whether it comes from elsewhere, so that this location declares it.
        path: The file that describes it.
        line: 1-based line in that file.
    """

    source: Source
    key: dg.AssetKey
    meta: DagsterMeta
    is_external: bool
    path: Path
    line: int

    @property
    def check_condition(self) -> Condition | None:
        """When its checks run; None for never by itself.

        For assets `on_upstream_change` ignores what nothing in the location produces. A check of a
        source reads just that.
        """
        if self.meta.automation_condition == on_upstream_change.name:
            return dg.AutomationCondition.eager().with_label(on_upstream_change.name)
        return self.meta.condition


def read_sources(
    folder: Path,
    sources: Iterable[Source],
    files: PropertiesFiles,
    blocks: DbtBlocks,
    load_context: LoadContext,
) -> dict[str, SourceTable]:
    """Return the tables by unique id; mistakes go to `load_context.problems`."""
    tables = {}
    for source in sources:
        meta, places = blocks.of_source(source)
        if meta is None:
            continue
        key = (
            parse_key(meta.asset_key) if meta.asset_key else source_key(source, load_context.names)
        )
        external = is_external(key)
        load_context.problems.extend(_keys_without_effect(meta, key, places, external=external))
        path, line = folder / source.file, 1
        if not is_reconstruction() and (found := files.of_source(source)):
            file, entries = found
            path, line = file.path, file.position(entries[-1])[0]
        if not all(key.path):
            names = f"{source.system}.{source.table}"
            message = f"{names!r} has no letters or digits to make an asset key of: set asset_key"
            at = display_name(path, load_context.root)
            load_context.problems.append(Problem(at, line, 1, message))
        tables[source.unique_id] = SourceTable(source, key, meta, external, path, line)
    return tables


def _keys_without_effect(
    meta: DagsterMeta, key: dg.AssetKey, places: BlockPlaces, *, external: bool
) -> Iterator[Problem]:
    """Yield the keys of a block that have no effect."""
    allowed = OF_EXTERNAL if external else OF_CHECKS
    for name in sorted(meta.model_fields_set - set(allowed)):
        if name not in OF_EXTERNAL:
            message = f"{name}: dbt does not build a source, so nothing reads it here"
        elif _holds_for_others(name, places, own_key=meta.asset_key is not None):
            continue
        else:
            message = f"{name}: {key.to_user_string()} is described where it is produced"
        yield places.problem([name], message, allowed=allowed, at_key=True)


def _holds_for_others(name: str, places: BlockPlaces, *, own_key: bool) -> bool:
    """Tell whether a value comes from a block that tables from elsewhere have as well."""
    block = places.block_of([name])
    if own_key and block is not places.block_of(["asset_key"]):
        return True
    return block is not None and block.name.endswith(PROJECT_FILE)

"""The asset keys of a dbt project, by convention."""

from __future__ import annotations

from pathlib import PurePosixPath

import dagster as dg

from factories.core.meta.keys import asset_key, key_part
from factories.core.warehouse.names import RAW, WarehouseNames
from factories.dbt.project.manifest import Node, Source

STAGING = "staging"
STAGING_PREFIX = "stg_"
SRC = "src"


def node_key(node: Node) -> dg.AssetKey:
    """Return the key of what a node builds.

    A staging model, `models/staging/<system>/stg_<system>__<table>.sql`, is
    `<system>/stg/<table>`; any other model is its path below `models/`; seeds and snapshots are
    `seeds/<name>` and `snapshots/<name>`. A version of a model is `<name>_v<version>`. What an
    installed package builds is below the package's name.

    Example:
        `models/marts/operations/fct_flights.sql` is `marts/operations/fct_flights`.
    """
    folders = [key_part(part) for part in PurePosixPath(node.path).parts[1:-1]]
    name = key_part(node.name)
    top = [f"{node.kind}s"] if node.kind != "model" else []
    if node.package is not None:
        return dg.AssetKey([key_part(node.package), *top, *folders, name])
    if node.kind == "model" and len(folders) > 1 and folders[0] == STAGING:
        system = folders[1]
        table = name.removeprefix(STAGING_PREFIX).removeprefix(f"{system}__")
        return dg.AssetKey([system, "stg", table])
    return dg.AssetKey([*top, *folders, name])


def source_key(source: Source, names: WarehouseNames) -> dg.AssetKey:
    """Return the key of a source's table.

    What lies in the database RAW is produced by ingestion: `<system>/raw/<table>`. Anything else
    comes from elsewhere: `<system>/src/<table>`.
    """
    layer = "raw" if is_landed(source, names) else SRC
    return asset_key(source.system, layer, source.table)


def is_landed(source: Source, names: WarehouseNames) -> bool:
    """Tell whether a source's table lies in the database that ingestion loads."""
    return source.relation[0].upper() == names.database(RAW)


def is_external(key: dg.AssetKey) -> bool:
    """Tell whether an asset comes from elsewhere, so that nothing in this workspace produces it.

    It is named so, `<system>/src/<table>`; a source with any other `asset_key` is what another
    asset makes.
    """
    return len(key.path) > 2 and key.path[-2] == SRC  # noqa: PLR2004 - system, layer, table

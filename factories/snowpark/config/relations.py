"""Which table an input asset is: another entry's output, or what the convention says."""

from __future__ import annotations

from dataclasses import replace

import dagster as dg

from factories.core.meta.keys import key_part
from factories.core.warehouse.names import RAW, Relation, WarehouseNames
from factories.snowpark.config.schema import TABLE

ANALYTICS = "ANALYTICS"
ML = "ML"
REGISTRY = "MODELS"  # in the schema of the area, beside the stage
STAGE = "MODEL_FILES"
CONVENTION = (
    "<system>/raw/<table>",
    "<system>/stg/<table>",
    "marts/<area>/<model>",
    "intermediate/<area>/<model>",
    "seeds/<name>",
    "snapshots/<name>",
)


def parse_table(text: str, names: WarehouseNames) -> Relation:
    """Return the table that `ML.DELAY.FEATURES` in YAML stands for."""
    assert TABLE.fullmatch(text), text  # noqa: S101 - the file's model has checked it
    return names.relation(*text.split("."))


def find_relation(key: dg.AssetKey, names: WarehouseNames) -> Relation | None:
    """Return the table of an asset that ingestion or dbt makes; None when its key stands for none.

    Example:
        `flight_ops/stg/flights` is `ANALYTICS.STAGING.STG_FLIGHT_OPS__FLIGHTS`.
    """
    match key.path:
        case ["marts" | "intermediate" as layer, _, *_, model]:
            return names.relation(ANALYTICS, layer, model)
        case ["seeds" | "snapshots" as layer, name]:
            return names.relation(ANALYTICS, layer, name)
        case [system, "raw", table]:
            return names.relation(RAW, system, table)
        case [system, "stg", table]:
            return names.relation(ANALYTICS, "staging", f"stg_{system}__{table}")
    return None


def name_registry(area: str, names: WarehouseNames) -> Relation:
    """Return the table of all versions of an area's models."""
    return names.relation(ML, key_part(area), REGISTRY)


def name_lock(registry: Relation) -> Relation:
    """Return the table that is locked while a registry changes."""
    return replace(registry, table=f"{registry.table}_LOCK")


def name_stage(area: str, names: WarehouseNames) -> Relation:
    """Return the stage of the files of an area's models."""
    return names.relation(ML, key_part(area), STAGE)

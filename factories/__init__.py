"""YAML, and a team's own Python, to Dagster definitions: the names that a code location uses.

Each is imported when it is asked for: `factories.core.yaml` is used where there is no Dagster.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from factories.core.execution.failures import permanent_failure
    from factories.core.meta.built_in_conditions import CronConfig
    from factories.core.meta.condition_lookup import automation_condition
    from factories.core.meta.named_conditions import NoConfig, named_condition
    from factories.core.warehouse.names import warehouse_names
    from factories.core.yaml.models import StrictModel
    from factories.definitions import build_definitions
    from factories.resource_annotations import SnowflakeResource, SnowparkSession

__all__ = [
    "CronConfig",
    "NoConfig",
    "SnowflakeResource",
    "SnowparkSession",
    "StrictModel",
    "automation_condition",
    "build_definitions",
    "named_condition",
    "permanent_failure",
    "warehouse_names",
]

MODULES = {
    "CronConfig": "factories.core.meta.built_in_conditions",
    "NoConfig": "factories.core.meta.named_conditions",
    "SnowflakeResource": "factories.resource_annotations",
    "SnowparkSession": "factories.resource_annotations",
    "StrictModel": "factories.core.yaml.models",
    "automation_condition": "factories.core.meta.condition_lookup",
    "build_definitions": "factories.definitions",
    "named_condition": "factories.core.meta.named_conditions",
    "permanent_failure": "factories.core.execution.failures",
    "warehouse_names": "factories.core.warehouse.names",
}


def __getattr__(name: str) -> Any:
    """Return one of the public names, from its own module."""
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(MODULES[name]), name)


def __dir__() -> list[str]:
    return __all__

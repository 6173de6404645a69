"""dlt pipelines as Dagster assets.

The public names below import dlt, so they are looked up when somebody asks: a code location of YAML
files alone does not pay for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from factories.dlt.load.destination import dataset_name, snowflake_destination
    from factories.dlt.resource import DltPipelineResource
    from factories.dlt.translator import DltPipelineTranslator

__all__ = [
    "DltPipelineResource",
    "DltPipelineTranslator",
    "dataset_name",
    "snowflake_destination",
]
_MODULES = {
    "DltPipelineResource": "factories.dlt.resource",
    "DltPipelineTranslator": "factories.dlt.translator",
    "dataset_name": "factories.dlt.load.destination",
    "snowflake_destination": "factories.dlt.load.destination",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)

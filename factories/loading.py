"""Why definitions are being loaded."""

from __future__ import annotations

# Not public in 1.13, but what Dagster's own integrations ask (dagster-dbt, dagster-airbyte).
from dagster._core.definitions.definitions_load_context import (
    DefinitionsLoadContext,
    DefinitionsLoadType,
)


def is_reconstruction() -> bool:
    """Tell whether a run or step reads again definitions that a code server has made before.

    What was checked then need not be checked in each of these processes.
    """
    return DefinitionsLoadContext.get().load_type is DefinitionsLoadType.RECONSTRUCTION

"""What a dlt step imports, and the resource `dlt` that it asks for.

The modules are many objects, none of which is garbage: walking them again and again while they are
imported, and while rows are read and written, was a fifth of a step that loads 26,000 rows. So they
are imported without the collector, and frozen: it does not walk them any more.
"""

from __future__ import annotations

import gc

from factories.core.garbage_collection import gc_paused
from factories.core.warehouse.names import WarehouseNames

with gc_paused():
    # dlt imports these when it first needs them.
    import dlt.destinations.impl.snowflake.snowflake  # noqa: F401 - for the import alone
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: F401 - as above
    import snowflake.connector  # noqa: F401 - as above

    from factories.dlt.resource import DltPipelineResource

    # Before the collector comes back, which would first of all walk everything that is new.
    gc.freeze()


def create_dlt_resource(_names: WarehouseNames) -> DltPipelineResource:
    """Return the resource that loads dlt pipelines."""
    return DltPipelineResource()

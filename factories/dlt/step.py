"""What a dlt step runs, with all that it imports.

The modules are many objects, none of which is garbage: walking them again and again while they are
imported, and while rows are read and written, was a fifth of a step that loads 26,000 rows. So they
are imported without the collector, and frozen: it does not walk them any more.
"""

from __future__ import annotations

import gc

from factories.core.garbage_collection import gc_paused

with gc_paused():
    # dlt imports these when it first needs them.
    import dlt.destinations.impl.snowflake.snowflake  # noqa: F401 - for the import alone
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: F401 - as above
    import snowflake.connector  # noqa: F401 - as above

    from factories.dlt.load.run import run_resources

    # Before the collector comes back, which would first of all walk everything that is new.
    gc.freeze()

__all__ = ["run_resources"]

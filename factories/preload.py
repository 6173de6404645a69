"""What every step needs, imported once by the server from which step processes are forked.

Preloaded by name, for its imports alone. Modules are a few hundred thousand objects, none of which
is garbage: walking them again and again is a quarter of the time it takes to import them. Frozen,
they are not walked in the steps either, and the memory that these share with the server stays
shared.
"""

from __future__ import annotations

import gc

from factories.core.garbage_collection import gc_paused

with gc_paused():
    # Reads the selections of jobs, 0.05 s in each step.
    import dagster._core.definitions.antlr_asset_selection.antlr_asset_selection
    import dagster._core.executor.multiprocess

    # Each step opens the instance: with SQLAlchemy this takes 0.3 s.
    import dagster._core.storage.event_log
    import dagster._core.storage.runs
    import dagster._core.storage.schedules  # noqa: F401 - for the import alone

    import factories.sling.run  # noqa: F401 - as above

    # Before the collector comes back, which would first of all walk everything that is new. A step
    # is short, and makes many objects that stay.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)

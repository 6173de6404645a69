"""A Snowpark session as a resource, for whoever writes an asset in Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from snowflake.snowpark import Session

from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import QUERY_TAG, warehouse_settings
from factories.core.warehouse.watchdog import interrupt_when_warehouse_is_lost
from factories.snowpark.session import snowpark_session


@contextmanager
def create_snowpark_resource(names: WarehouseNames) -> Iterator[Session]:
    """Open a Snowpark session in the target's database ML, and close it when the step ends.

    Imports Snowpark, which costs 0.6 s: a lazy resource does that in the step that asks.

    Args:
        names: How the target's databases and schemas are called.

    Raises:
        StepStartError: When the environment lacks what is needed to reach the target.

    Example:
        >>> with create_snowpark_resource(names) as session:  # doctest: +SKIP
        ...     session.table("ANALYTICS.MARTS.FCT_FLIGHTS").count()
    """
    settings = warehouse_settings()
    with (
        interrupt_when_warehouse_is_lost(settings),
        snowpark_session(settings, names, QUERY_TAG) as session,
    ):
        yield session

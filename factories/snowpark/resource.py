"""The Snowpark session that a team's own Python asks for as the resource `snowpark`."""

from __future__ import annotations

from contextlib import AbstractContextManager

from snowflake.snowpark import Session

from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import QUERY_TAG, warehouse_settings
from factories.snowpark.session import snowpark_session


def open_session(names: WarehouseNames) -> AbstractContextManager[Session]:
    """Return what opens a session in the target's database ML, and closes it.

    Args:
        names: How the target's databases are called.

    Raises:
        StepStartError: When the environment lacks what is needed to reach the target.
    """
    return snowpark_session(warehouse_settings(), names, QUERY_TAG)

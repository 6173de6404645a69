"""What keeps a step of dbt from starting, as one failure that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from factories.core.local_systems import LocalSystemError
from factories.core.meta.partitions import UnreadableWindowError
from factories.core.warehouse.settings import WarehouseSettingsError
from factories.dbt.execution.command import DbtConfigError

REFUSALS = (DbtConfigError, LocalSystemError, UnreadableWindowError, WarehouseSettingsError)


@contextmanager
def refusals_told() -> Iterator[None]:
    """Fail the step for a missing setting, or for a run that cannot be as it is configured.

    Raises:
        dagster.Failure: In place of each; trying again would change nothing.
    """
    try:
        yield
    except REFUSALS as error:
        raise dg.Failure(str(error), allow_retries=False) from None

"""Fails a step, with a sentence, when the warehouse no longer answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from factories.core.secret_mask import SecretMask
from factories.core.warehouse.settings import WarehouseSettings
from factories.core.warehouse.watchdog import (
    WarehouseLostError,
    WarehouseWatch,
    interrupt_when_warehouse_is_lost,
)


@contextmanager
def fail_when_warehouse_is_lost(settings: WarehouseSettings) -> Iterator[WarehouseWatch]:
    """Fail what runs in the block once the warehouse no longer answers.

    Args:
        settings: How to reach the warehouse.

    Raises:
        dagster.Failure: Also in place of what a client has raised for that reason. Dagster may try
            the step again, which starts the embedded warehouse again.
    """
    try:
        with interrupt_when_warehouse_is_lost(settings) as watch:
            yield watch
    except WarehouseLostError as error:
        raise dg.Failure(str(error)) from None
    except Exception as error:
        if (lost := watch.ask_after_failure()) is None:
            raise
        text = error.description if isinstance(error, dg.Failure) else str(error)
        raise dg.Failure(f"{lost}\n{SecretMask(settings.secrets)(text or '')}") from None

"""What the steps of all tools share: how they start, what they work with, how they wait."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from factories.core.errors import StepStartError
from factories.core.execution.failures import permanent_failure
from factories.core.execution.run_watchdog import terminate_when_run_ends
from factories.core.execution.table_reader import TableReader
from factories.core.execution.temp_folders import temporary_step_folder
from factories.core.execution.upstream_writers import wait_for_upstream_writers
from factories.core.local_systems import LocalSystemError
from factories.core.meta.retries import RetrySpec, retry_delay
from factories.core.warehouse.fail_on_loss import fail_when_warehouse_is_lost
from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import WarehouseSettings


@dataclass(frozen=True)
class OpenStep:
    """What a step works with while it is open.

    Attributes:
        settings: How to reach the warehouse.
        reader: Looks at tables, for metadata and checks.
        folder: A temporary folder that only this user can read; gone when the step is.
    """

    settings: WarehouseSettings
    reader: TableReader
    folder: Path


@contextmanager
def start_errors_as_failures() -> Iterator[None]:
    """Turn what keeps a step from starting into one sentence.

    Raises:
        dagster.Failure: In place of a `StepStartError`; Dagster does not try it again.
    """
    try:
        yield
    except LocalSystemError as error:  # it may start the next time
        raise dg.Failure(str(error), allow_retries=False) from None
    except StepStartError as error:
        raise permanent_failure(str(error)) from None


@contextmanager
def open_step(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext | dg.OpExecutionContext,
    settings: WarehouseSettings,
    names: WarehouseNames,
    tool: str,
) -> Iterator[OpenStep]:
    """Give a step its table reader and temporary folder; end it with its run, and its warehouse.

    Args:
        context: Dagster's.
        settings: How to reach the warehouse.
        names: How the target's databases and schemas are called.
        tool: `sling`, `dlt`, …: the temporary folder's name begins with it.

    Raises:
        dagster.Failure: When the warehouse no longer answers.
    """
    with (
        terminate_when_run_ends(context),
        fail_when_warehouse_is_lost(settings) as watch,
        temporary_step_folder(tool) as folder,
    ):
        if isinstance(context, dg.AssetExecutionContext):
            wait_for_upstream_writers(context)
        reader = TableReader(settings, names)
        try:
            yield OpenStep(settings, reader, folder)
        finally:
            reader.close(abandon=watch.lost is not None)


def wait_before_retry(
    log: dg.DagsterLogManager, specs: Iterable[RetrySpec | None], names: Iterable[str], attempt: int
) -> None:
    """Wait as long as the `retries` of what failed ask, and log what is tried again.

    Args:
        log: The run's log.
        specs: The `retries` blocks of what failed; the longest wait holds.
        names: What is tried again, as people know it.
        attempt: 1 before the first retry.
    """
    seconds = retry_delay(specs, attempt)
    log.warning("trying again in %.0f s (retry %d): %s", seconds, attempt, ", ".join(names))
    time.sleep(seconds)

"""dlt's own messages and progress, in the run's log as they happen."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from dlt.common.runtime.collector_base import Collector

from factories.core.secret_mask import SecretMask

PROGRESS_SECONDS = 10.0


class _RunLog(logging.Handler):
    def __init__(
        self, context: dg.AssetExecutionContext | dg.OpExecutionContext, mask: SecretMask
    ) -> None:
        super().__init__()
        self._log = context.log
        self._mask = mask

    def emit(self, record: logging.LogRecord) -> None:
        self._log.log(record.levelno, "%s", self._mask(record.getMessage()))


@contextmanager
def dlt_log(
    context: dg.AssetExecutionContext | dg.OpExecutionContext, mask: SecretMask
) -> Iterator[None]:
    """Send what dlt logs to the run's log, without secrets, and nowhere else."""
    logger = logging.getLogger("dlt")
    before = logger.handlers, logger.propagate
    logger.handlers, logger.propagate = [_RunLog(context, mask)], False
    try:
        yield
    finally:
        logger.handlers, logger.propagate = before


class Progress(Collector):
    """Tells in the run's log, every few seconds, how far a long load is."""

    def __init__(self, context: dg.AssetExecutionContext | dg.OpExecutionContext) -> None:
        """Take Dagster's context."""
        self._log = context.log
        self._counts: Counter[str] = Counter()
        self._logged = 0.0

    def _start(self, step: str) -> None:
        self.step = step.split(maxsplit=1)[0].lower()  # «Extract weather_api»
        self._counts.clear()
        self._logged = time.monotonic()

    def update(  # noqa: PLR0917 - dlt's interface
        self,
        name: str,
        inc: int = 1,
        total: int | None = None,  # noqa: ARG002 - as above
        inc_total: int | None = None,  # noqa: ARG002 - as above
        message: str | None = None,  # noqa: ARG002 - as above
        label: str | None = None,
    ) -> None:
        """Count rows of a table, or files and jobs under these names."""
        if label is None:
            self._counts[name] += inc
        now = time.monotonic()
        if now - self._logged >= PROGRESS_SECONDS:
            self._logged = now
            counts = ", ".join(f"{key} {count:,}" for key, count in self._counts.items())
            self._log.info("%s: %s so far", self.step, counts)

    def _stop(self) -> None:
        self._counts.clear()

"""Notices that the warehouse no longer answers, and interrupts what waits for it.

Each client has timeouts of its own (`WarehouseSettings`), but they are those of one request. Sling
goes on with the next stream, dlt with the next file, Snowpark with its rollback, and each waits
anew; dbt-snowflake has no timeout for statements at all. So a thread asks the server now and then.
A statement that takes long is none of its business: the server still answers others.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from factories.core.warehouse.connector_internals import refuse_requests
from factories.core.warehouse.liveness import Liveness, ask_whether_it_answers
from factories.core.warehouse.settings import WarehouseSettings

ASK_EVERY_SECONDS = 5.0
# So that with the time that a tool is given to stop a step ends within the client's own timeout.
PART_OF_NETWORK_TIMEOUT = 0.6
# What is interrupted closes what it had open, and that may wait for the warehouse too. Longer than
# a program is given to stop.
INTERRUPT_EVERY_SECONDS = 15.0
# Neither Dagster nor a tool uses it: SIGTERM and SIGINT mean that a person has cancelled the run.
SIGNAL = signal.SIGUSR2


class WarehouseLostError(BaseException):
    """The warehouse no longer answers; the text says so in a sentence.

    No `Exception`: what a tool does about those is to try again.
    """


class WarehouseWatch:
    """Asks the warehouse's server now and then, in a thread, until `stop` is called.

    A server that has never answered is not lost: perhaps only these requests do not reach it. The
    embedded warehouse has answered when its settings were made.

    Attributes:
        lost: That the warehouse no longer answers, as a sentence; None while it does.
    """

    def __init__(self, settings: WarehouseSettings, on_lost: Callable[[], None]) -> None:
        """Start to ask.

        Args:
            settings: How to reach the warehouse.
            on_lost: Called in the thread when the warehouse is lost, and now and then until `stop`.
        """
        self.lost: str | None = None
        self._settings, self._on_lost = settings, on_lost
        self._patience = settings.network_timeout * PART_OF_NETWORK_TIMEOUT
        self._every = min(ASK_EVERY_SECONDS, self._patience / 4)
        self._answered = time.monotonic() if settings.host is not None else None
        self._stopped = threading.Event()
        threading.Thread(target=self._look, name="warehouse watchdog", daemon=True).start()

    def stop(self) -> None:
        """Ask no more; does not wait for an answer that is under way."""
        self._stopped.set()

    def ask_after_failure(self) -> str | None:
        """Return that the warehouse no longer answers, also where that was not noticed yet."""
        if self.lost is None and self._answered is not None:
            liveness = ask_whether_it_answers(self._settings, self._every)
            if liveness is not Liveness.ANSWERS:
                self._lose(liveness, self._every)
        return self.lost

    def _look(self) -> None:
        while self.lost is None and not self._stopped.wait(self._every):
            liveness = ask_whether_it_answers(self._settings, self._every)
            now = time.monotonic()
            if liveness is Liveness.ANSWERS:
                self._answered = now
            elif self._answered is not None:
                silent = now - self._answered
                if liveness is Liveness.GONE or silent >= self._patience:
                    self._lose(liveness, silent)
        while not self._stopped.is_set():
            self._on_lost()
            self._stopped.wait(INTERRUPT_EVERY_SECONDS)

    def _lose(self, liveness: Liveness, seconds: float) -> None:
        self.lost = self._describe(liveness, seconds)
        refuse_requests(self._settings.url, self.lost)  # in the threads of tools as well

    def _describe(self, liveness: Liveness, seconds: float) -> str:
        where = f"The warehouse at {self._settings.address} no longer answers"
        if liveness is Liveness.GONE:
            return f"{where}: its process has ended; the next run starts it again."
        return (
            f"{where}: nothing has come for {seconds:.0f} seconds"
            f" (SNOWFLAKE_NETWORK_TIMEOUT is {self._settings.network_timeout})."
        )


@contextmanager
def interrupt_when_warehouse_is_lost(settings: WarehouseSettings) -> Iterator[WarehouseWatch]:
    """Watch the warehouse while the block runs; interrupt the block when it is lost.

    Python runs the handlers of signals in the main thread: a block in another one is watched, and
    not interrupted.

    Args:
        settings: How to reach the warehouse.

    Raises:
        WarehouseLostError: Inside the block.
    """
    main = threading.main_thread().ident
    in_main_thread = threading.get_ident() == main
    ending = False

    def interrupt() -> None:
        if main is not None and in_main_thread and not ending:
            signal.pthread_kill(main, SIGNAL)

    def raise_lost(_number: int, _frame: FrameType | None) -> None:
        if not ending:
            raise WarehouseLostError(watch.lost)

    before = signal.signal(SIGNAL, raise_lost) if in_main_thread else None
    watch = WarehouseWatch(settings, interrupt)
    try:
        yield watch
    finally:
        ending = True
        watch.stop()
        if in_main_thread:
            # One that is on its way must not meet the default, which ends the process.
            signal.signal(SIGNAL, before if callable(before) else signal.SIG_IGN)

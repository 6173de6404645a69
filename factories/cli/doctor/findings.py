"""What `dp doctor` tells: one finding for each thing that it looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from threading import Thread
from typing import Literal, TypeVar

State = Literal["ok", "problem", "note"]
T = TypeVar("T")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        area: Such as `warehouse`.
        what: What was looked at.
        state: `note` is what somebody should know, and may well be meant.
        said: What was found, in words; never a secret.
        fix: What to do about a problem.
    """

    area: str
    what: str
    state: State
    said: str
    fix: str = ""


def ok(area: str, what: str, said: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(area, what, "ok", said)


def note(area: str, what: str, said: str, fix: str = "") -> Finding:
    """Return what somebody should know."""
    return Finding(area, what, "note", said, fix)


def problem(area: str, what: str, said: str, fix: str) -> Finding:
    """Return what keeps something from working, and what to do about it."""
    return Finding(area, what, "problem", said, fix)


def begin(function: Callable[[], T]) -> Future[T]:
    """Run a function in a thread that does not keep the process from ending."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - whoever waits for the result gets it
            future.set_exception(error)

    Thread(target=run, name="doctor", daemon=True).start()
    return future


def findings_of(future: Future[Iterable[Finding]], area: str, until: float) -> list[Finding]:
    """Return what a look has found; that it takes too long, or fails, is a problem of its own.

    Args:
        future: The look.
        area: What it looks at.
        until: How long to wait for it, by the monotonic clock.
    """
    try:
        return [*future.result(max(0.0, until - time.monotonic()))]
    except TooLate:
        said = "has not ended in time"
        fix = "look at the network, and at what else keeps this machine busy; then try again"
    except Exception as error:  # noqa: BLE001 - one look must not keep the others from being told
        said = f"cannot be looked at: {type(error).__name__}: {error}"
        fix = "this is a mistake of dp doctor: report it"
    return [problem(area, "the whole of it", said, fix)]

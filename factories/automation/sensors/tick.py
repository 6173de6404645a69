"""What the ticks of all sensors share: what they look with, and how they say what went wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeVar

import dagster as dg

from factories.automation.run_requests import RunRequests
from factories.automation.templates import TemplateError
from factories.core.dagster_internals import TickError
from factories.core.errors import StepStartError
from factories.core.secret_mask import mask_with_environment

LONGEST_SENTENCE = 400
# Dagster gives up a tick after a minute, without a word of what it waited for.
LOOK_SECONDS = 45.0

Found = TypeVar("Found")


@dataclass(frozen=True)
class Tick:
    """One look of a sensor.

    Attributes:
        context: Dagster's.
        requests: Makes the runs that the sensor requests.
        secrets: What must not show in its error; a sensor adds those that it uses.
    """

    context: dg.SensorEvaluationContext
    requests: RunRequests
    secrets: set[str] = field(default_factory=set)


Look = Callable[[Tick], dg.SensorResult]


def evaluation(
    requests: RunRequests, look: Look
) -> Callable[[dg.SensorEvaluationContext], dg.SensorResult]:
    """Return a sensor's function: it looks, or says in one sentence why it cannot.

    Dagster keeps the cursor of a tick that fails: what it did not get to is seen by the next one.
    """

    def evaluate(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        tick = Tick(context, requests)
        try:
            return look(tick)
        except Exception as error:  # noqa: BLE001 - whatever a source's library raises
            sentence = mask_with_environment(tick.secrets)(_sentence(requests.name, error))
        raise TickError(sentence)

    return evaluate


def _sentence(name: str, error: Exception) -> str:
    """Return what went wrong as one sentence, on one line."""
    text = " ".join(str(error).split())
    if not isinstance(error, StepStartError | TickError | TemplateError | SourceError):
        kind = type(error).__name__
        text = f"{kind}: {text}" if text else kind
    if len(text) > LONGEST_SENTENCE:
        text = f"{text[:LONGEST_SENTENCE]}…"
    return f"The sensor {name} cannot look, and tries again: {text}"


class SourceError(Exception):
    """What a sensor looks at is not there, or not as it must be; the text says so in a sentence."""


def skip(reason: str, cursor: str | None = None) -> dg.SensorResult:
    """Return a tick without runs."""
    return dg.SensorResult(skip_reason=reason, cursor=cursor)


def within_a_tick(what: str, look: Callable[[], Found]) -> Found:
    """Return what a look finds, as far as a tick has time for it.

    Libraries of file systems try again for minutes, each by options of its own.

    Args:
        what: Whom it waits for, for the sentence.
        look: Is left to itself when it takes too long.

    Raises:
        SourceError: When it takes too long.
    """
    found: Future[Found] = Future()

    def work() -> None:
        try:
            found.set_result(look())
        except Exception as error:  # noqa: BLE001 - raised by whoever waits
            found.set_exception(error)

    threading.Thread(target=work, name="look of a sensor", daemon=True).start()
    try:
        return found.result(LOOK_SECONDS)
    except TimeoutError:
        if found.done():  # the file system's own
            raise
        raise SourceError(f"{what} has not answered within {LOOK_SECONDS:g} s") from None

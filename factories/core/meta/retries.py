"""Retries of what failed, in Dagster's own terms."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Literal

import dagster as dg
from pydantic import Field, StrictInt

from factories.core.yaml.models import Duration, StrictModel

BACKOFF = {"linear": dg.Backoff.LINEAR, "exponential": dg.Backoff.EXPONENTIAL}
JITTER = {"full": dg.Jitter.FULL, "plus_minus": dg.Jitter.PLUS_MINUS}


class RetrySpec(StrictModel):
    """How often, and after how long, a failed load is tried again."""

    max: Annotated[StrictInt, Field(ge=0, le=100)] = Field(
        description="Further tries after the first."
    )
    delay: Duration = Field(timedelta(seconds=30), description="Wait before the first retry.")
    backoff: Literal["linear", "exponential"] | None = Field(
        None, description="How the wait grows; without it, it stays the same."
    )
    jitter: Literal["full", "plus_minus"] | None = Field(
        None, description="How chance spreads the wait, so that retries do not come all at once."
    )


def retry_policy(spec: RetrySpec | None) -> dg.RetryPolicy:
    """Return the Dagster policy that a `retries` block describes; without one, no retries."""
    if spec is None:
        return dg.RetryPolicy(max_retries=0)
    return dg.RetryPolicy(
        max_retries=spec.max,
        delay=spec.delay.total_seconds(),
        backoff=BACKOFF[spec.backoff] if spec.backoff else None,
        jitter=JITTER[spec.jitter] if spec.jitter else None,
    )


def max_retry_spec(specs: Iterable[RetrySpec | None]) -> RetrySpec | None:
    """Return the block that allows the most tries, of those of what shares a step."""
    return max((spec for spec in specs if spec), key=lambda spec: spec.max, default=None)


def max_retries(specs: Iterable[RetrySpec | None]) -> int:
    """Return how often what is loaded together is tried again: as the most patient says."""
    return max((spec.max for spec in specs if spec), default=0)


def retry_delay(specs: Iterable[RetrySpec | None], attempt: int) -> float:
    """Return the seconds to wait before a retry (1 is the first), as the most patient asks."""
    return max(retry_policy(spec).calculate_delay(attempt) for spec in specs)

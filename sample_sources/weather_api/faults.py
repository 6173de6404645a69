"""Faults that the service answers with when told to, so that clients can be tested.

They are written `kind` or `kind:option=value,option=value`, several separated by `;`.
"""

from __future__ import annotations

import difflib
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sample_sources.errors import SampleError

KINDS: Final[Mapping[str, str]] = {
    "rate_limit": "429 with Retry-After",
    "error": "500",
    "cut": "the connection ends in the middle of the body",
    "slow": "the answer comes late",
    "malformed": "200 with half of the body, which is no JSON",
}
"""Every kind of fault, and what a client sees."""

_LIMITS: Final = ("every", "first", "page")
_OWN_OPTION: Final = {"rate_limit": "retry_after", "slow": "seconds"}
_LONGEST_SECONDS: Final = 600
_GREATEST_COUNT: Final = 1_000_000


class FaultError(SampleError):
    """A fault is not written as it must be; the message says what is allowed."""


@dataclass(frozen=True)
class Fault:
    """One fault and the requests that it hits: those to which all its limits apply.

    Attributes:
        text: As it was written.
        kind: One of `KINDS`.
        every: Of so many requests the last is hit; 1: all.
        first: For each page, so many requests are hit; None: all.
        page: Only this page of a listing, counted from 1; None: all.
        seconds: How late a slow answer is.
        retry_after: What Retry-After says, in seconds.
    """

    text: str
    kind: str
    every: int = 1
    first: int | None = None
    page: int | None = None
    seconds: float = 1
    retry_after: int = 1


def parse_faults(text: str) -> list[Fault]:
    """The faults that a text names; blank: none.

    Raises:
        FaultError: It is not written as it must be.
    """
    return [_parse(each.strip()) for each in text.split(";") if each.strip()]


def _parse(text: str) -> Fault:
    kind, _, written = text.partition(":")
    if kind not in KINDS:
        raise FaultError(f"There is no fault {kind!r}; there is {', '.join(KINDS)}.{_near(kind)}")
    allowed = (*_LIMITS, *([_OWN_OPTION[kind]] if kind in _OWN_OPTION else []))
    options: dict[str, int | float] = {}
    for option in written.split(",") if written else []:
        name, _, value = option.strip().partition("=")
        if name not in allowed:
            raise FaultError(
                f"The fault {text!r} has no option {name!r}; {kind} takes {', '.join(allowed)}."
            )
        if name in options:
            raise FaultError(f"The fault {text!r} has {name!r} twice.")
        options[name] = _seconds(text, value) if name == "seconds" else _count(text, name, value)
    return Fault(text=text, kind=kind, **options)  # type: ignore[arg-type]


def _count(text: str, name: str, value: str) -> int:
    least = 0 if name == "retry_after" else 1
    # Cut, because Python refuses to read a number of thousands of digits.
    number = int(value[:20]) if value.isascii() and value.isdigit() else -1
    if not least <= number <= _GREATEST_COUNT:
        raise FaultError(
            f"In the fault {text!r}, {name!r} must be a whole number from {least} to "
            f"{_GREATEST_COUNT:,}, not {value!r}."
        )
    return number


def _seconds(text: str, value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= _LONGEST_SECONDS:
        raise FaultError(
            f"In the fault {text!r}, 'seconds' must be a number from 0 to {_LONGEST_SECONDS}, "
            f"not {value!r}."
        )
    return seconds


def _near(kind: str) -> str:
    near = difflib.get_close_matches(kind, KINDS, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


class FaultCounts:
    """Some faults and how many requests each has seen since they were switched on."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        self._requests: Counter[int] = Counter()
        self._requests_of_page: Counter[tuple[int, str]] = Counter()

    def hits(self, request: str, page: int) -> list[Fault]:
        """The faults that hit a request, which is counted.

        Args:
            request: What is asked for; alike when a client tries again.
            page: The page's number.
        """
        return [
            fault for at, fault in enumerate(self.faults) if self._hits(at, fault, request, page)
        ]

    def _hits(self, at: int, fault: Fault, request: str, page: int) -> bool:
        if fault.page not in {None, page}:
            return False
        self._requests[at] += 1
        self._requests_of_page[at, request] += 1
        if fault.first is not None and self._requests_of_page[at, request] > fault.first:
            return False
        return self._requests[at] % fault.every == 0

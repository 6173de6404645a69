"""What a request to /observations may ask for."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from starlette.datastructures import QueryParams

from sample_sources.weather_api.observations import ORIGINS, Key, iso

DEFAULT_PAGE_SIZE: Final = 1_000
GREATEST_PAGE_SIZE: Final = 5_000


class ParameterError(Exception):
    """A parameter cannot be read; the message says what is allowed."""


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: after a key that need not exist, so that it stays valid.

    Attributes:
        after: The key of the last observation of the page before.
        page: The number of the page that begins here, from 2.
    """

    after: Key
    page: int

    def __str__(self) -> str:
        time_hour, origin = self.after
        return base64.urlsafe_b64encode(
            json.dumps([iso(time_hour), origin, self.page], separators=(",", ":")).encode()
        ).decode()


@dataclass(frozen=True)
class Parameters:
    """What a request to /observations asks for; times are in UTC."""

    cursor: Cursor | None
    page_size: int
    since: datetime | None
    until: datetime | None
    origin: str | None

    @property
    def page(self) -> int:
        """The number of the page, from 1."""
        return self.cursor.page if self.cursor else 1


def read_parameters(query: QueryParams) -> Parameters:
    """What a request to /observations asks for.

    Raises:
        ParameterError: A parameter is unknown, there twice or cannot be read.
    """
    check_names(query, ("cursor", "page_size", "since", "until", "origin"))
    return Parameters(
        cursor=_cursor(query["cursor"]) if "cursor" in query else None,
        page_size=_page_size(query.get("page_size", f"{DEFAULT_PAGE_SIZE}")),
        since=_time(query, "since"),
        until=_time(query, "until"),
        origin=_origin(query["origin"]) if "origin" in query else None,
    )


def check_names(query: QueryParams, allowed: Iterable[str]) -> None:
    """Refuse unknown parameters and those that are there twice; `fault` may always be.

    Raises:
        ParameterError: One is unknown or there twice.
    """
    known = [*allowed, "fault"]
    for name in query:
        if name not in known:
            raise ParameterError(f"There is no parameter {name!r}; there is {', '.join(known)}.")
        if name != "fault" and len(query.getlist(name)) > 1:
            raise ParameterError(f"The parameter {name!r} is there twice.")


def _cursor(text: str) -> Cursor:
    try:
        time_hour, origin, page = json.loads(base64.b64decode(text, altchars=b"-_", validate=True))
        cursor = Cursor((_utc(time_hour), str(origin)), int(page))
    except (ValueError, TypeError, OverflowError, RecursionError):
        cursor = None
    # Only what this service wrote is the same when written again.
    if cursor is None or str(cursor) != text:
        raise ParameterError(f"cursor must be a next_cursor of an earlier answer, not {text!r}.")
    return cursor


def _page_size(text: str) -> int:
    # Cut, because Python refuses to read a number of thousands of digits.
    size = int(text[:20]) if text.isascii() and text.isdigit() else 0
    if not 1 <= size <= GREATEST_PAGE_SIZE:
        raise ParameterError(
            f"page_size must be a whole number from 1 to {GREATEST_PAGE_SIZE}, not {text!r}."
        )
    return size


def _time(query: QueryParams, name: str) -> datetime | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return _utc(text)
    except (ValueError, OverflowError) as error:
        raise ParameterError(
            f"{name} must be a time in ISO 8601 such as 2013-07-01T00:00:00Z (a + must be written "
            f"%2B; without an offset it is UTC), not {text!r}."
        ) from error


def _utc(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _origin(text: str) -> str:
    if text not in ORIGINS:
        raise ParameterError(f"origin must be one of {', '.join(ORIGINS)}, not {text!r}.")
    return text

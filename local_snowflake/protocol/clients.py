"""Clients that are gone without a word: what a killed process left open is rolled back.

What upstream lacks: a session whose client was killed in a transaction keeps its locks for as long
as the server runs. Snowflake lets a statement that runs go on to its end, and rolls back a
transaction whose client is gone once it stands in another's way for five minutes:
https://docs.snowflake.com/en/sql-reference/transactions#aborting-transactions

Here a client is gone when its last TCP connection is closed and none comes in `GRACE_SECONDS`:
drivers keep one open between two statements. A handler in Python, which may run for ever, is then
ended. A client that has come back before opens a connection
per request, or on a new try, and is given the five minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from uvicorn.protocols.http.auto import AutoHTTPProtocol

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session

GRACE_SECONDS = 4.0
GRACE_SECONDS_OF_RETURNERS = 300.0

Address = tuple[str, int]


@dataclass
class _Presence:
    session: Session
    addresses: set[Address] = field(default_factory=set)
    has_come_back: bool = False
    was_lost: bool = False


class Clients:
    """Which TCP connections the sessions use; all methods are called in the event loop.

    Args:
        end: Ends a session.
    """

    def __init__(self, end: Callable[[Session], Awaitable[None]]) -> None:
        self._end = end
        self._presences: dict[str, _Presence] = {}
        self._farewells: set[asyncio.Task[None]] = set()

    def seen(self, session: Session, address: Address | None) -> None:
        """A request of the session came from that address."""
        presence = self._presences.setdefault(session.token, _Presence(session))
        if address is None or address in presence.addresses:
            return
        presence.has_come_back |= presence.was_lost
        presence.addresses.add(address)

    def lost(self, address: Address) -> None:
        """The connection from that address was closed."""
        for presence in list(self._presences.values()):
            if address in presence.addresses:
                presence.addresses.discard(address)
                if not presence.addresses:
                    presence.was_lost = True
                    farewell = asyncio.create_task(self._wait_for(presence))
                    self._farewells.add(farewell)
                    farewell.add_done_callback(self._farewells.discard)

    def forget(self, session: Session) -> None:
        """The session has ended."""
        self._presences.pop(session.token, None)

    def close(self) -> None:
        """Wait for no client any more."""
        for farewell in self._farewells:
            farewell.cancel()

    async def _wait_for(self, presence: _Presence) -> None:
        session = presence.session
        long = presence.has_come_back
        grace = GRACE_SECONDS_OF_RETURNERS if long else GRACE_SECONDS
        if session.runs_handler:
            await asyncio.sleep(grace)
            if not presence.addresses and session.runs_handler:
                session.interrupt()
        async with session.lock:
            pass  # a statement that runs goes on to its end
        await asyncio.sleep(grace)
        if not presence.addresses and session.transactions.is_open:
            await self._end(session)


def protocol_telling(lost: Callable[[Address], None]) -> type[asyncio.Protocol]:
    """Uvicorn's HTTP protocol, calling `lost` for each connection that was closed."""

    class Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # chosen when it is imported
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self.client is not None:
                lost(self.client)

    return Protocol

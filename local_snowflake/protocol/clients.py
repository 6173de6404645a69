"""Clients that disconnect without a logout: the transaction of a killed process is rolled back.

What fakesnow lacks: a session whose client was killed in a transaction keeps its locks for as long
as the server runs. Snowflake lets a running statement finish, and rolls back a transaction whose
client has disconnected once it has blocked another one for five minutes:
https://docs.snowflake.com/en/sql-reference/transactions#aborting-transactions

Here a client has disconnected when its last TCP connection is closed and it opens no other within
`GRACE_SECONDS`: drivers keep one open between two statements. A running handler in Python, which
may never finish, is then stopped. A client that has reconnected before opens a connection per
request, or for a retry: it gets the five minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from local_snowflake.engine.session import Session

GRACE_SECONDS = 4.0
GRACE_SECONDS_AFTER_RECONNECT = 300.0

Address = tuple[str, int]


@dataclass
class _Client:
    session: Session
    addresses: set[Address] = field(default_factory=set)
    has_reconnected: bool = False
    has_disconnected: bool = False


class Clients:
    """The open TCP connections of each session; all methods are called in the event loop.

    Args:
        end: Ends a session.
    """

    def __init__(self, end: Callable[[Session], Awaitable[None]]) -> None:
        self._end = end
        self._clients: dict[str, _Client] = {}
        self._waits: set[asyncio.Task[None]] = set()

    def connected(self, session: Session, address: Address | None) -> None:
        """Record that a request of the session came from that address."""
        client = self._clients.setdefault(session.token, _Client(session))
        if address is None or address in client.addresses:
            return
        client.has_reconnected |= client.has_disconnected
        client.addresses.add(address)

    def disconnected(self, address: Address) -> None:
        """Record that the connection from that address was closed."""
        for client in list(self._clients.values()):
            if address in client.addresses:
                client.addresses.discard(address)
                if not client.addresses:
                    client.has_disconnected = True
                    wait = asyncio.create_task(self._wait_for(client))
                    self._waits.add(wait)
                    wait.add_done_callback(self._waits.discard)

    def remove(self, session: Session) -> None:
        """Remove a session that has ended."""
        self._clients.pop(session.token, None)

    def close(self) -> None:
        """Stop waiting for clients."""
        for wait in self._waits:
            wait.cancel()

    async def _wait_for(self, client: _Client) -> None:
        session = client.session
        grace = GRACE_SECONDS_AFTER_RECONNECT if client.has_reconnected else GRACE_SECONDS
        if session.runs_handler:
            await asyncio.sleep(grace)
            if not client.addresses and session.runs_handler:
                session.interrupt()
        async with session.lock:
            pass  # a running statement may finish
        await asyncio.sleep(grace)
        if not client.addresses and session.transactions.is_open:
            await self._end(session)


def protocol_reporting(disconnected: Callable[[Address], None]) -> type[asyncio.Protocol]:
    """Make Uvicorn's HTTP protocol call a function for each connection that was closed."""

    class Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # chosen when it is imported
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self.client is not None:
                disconnected(self.client)

    return Protocol

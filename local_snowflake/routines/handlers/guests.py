"""The sessions of procedures: a handler's statements run in the session of the CALL.

The CALL waits for its handler and holds the session's lock. Its handler logs in with a password
that is good for one login, and gets a token under which statements run in that same session, beside
the lock: temporary tables, the open transaction and the current schema are the caller's, as in
Snowflake.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import anyio
from anyio.to_thread import run_sync

from local_snowflake.sql.errors import SqlError

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session

_T = TypeVar("_T")
_STOP_SECONDS = 0.1


class Guest:
    """A handler's way into the session that called it.

    Args:
        session: The caller's.

    Attributes:
        password: Good for one login.
        token: By which the handler's requests name it.
        lock: Held while one of its statements runs: they run one after the other.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.password = secrets.token_urlsafe(32)
        self.token = secrets.token_urlsafe(32)
        self.lock = asyncio.Lock()
        self._depth = len(session.handlers)
        self._busy = threading.Lock()
        self._is_closed = False
        # The thread of the CALL waits: were the handler's statements to wait for one of the same
        # threads, as many CALLs as there are would wait for ever.
        self._limiter: anyio.CapacityLimiter | None = None

    async def in_thread(self, function: Callable[..., _T], *arguments: object) -> _T:
        """Call a function in a thread, as long as the CALL goes on.

        Raises:
            SqlError: The CALL has ended.
        """
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(1)
        return await run_sync(lambda: self._run(function, *arguments), limiter=self._limiter)

    def close(self) -> None:
        """Let no statement begin any more, and stop the one that runs."""
        self._is_closed = True
        while not self._busy.acquire(timeout=_STOP_SECONDS):
            self.session.interrupt(beyond=self._depth)  # the procedures around this one go on
        self._busy.release()

    def _run(self, function: Callable[..., _T], *arguments: object) -> _T:
        with self._busy:
            if self._is_closed:
                raise SqlError("The procedure has ended.", 390111, "08003")
            return function(*arguments)


class Guests:
    """The guests of all sessions."""

    def __init__(self) -> None:
        self._by_token: dict[str, Guest] = {}

    @contextmanager
    def invited(self, session: Session) -> Iterator[Guest]:
        """A guest of the session until the block ends."""
        guest = Guest(session)
        self._by_token[guest.token] = guest
        try:
            yield guest
        finally:
            del self._by_token[guest.token]
            guest.close()

    def by_token(self, token: str) -> Guest | None:
        """The guest of that token."""
        return self._by_token.get(token)

    def admitted(self, password: str) -> Guest | None:
        """The guest of that password, which is then used up."""
        for guest in list(self._by_token.values()):
            if guest.password and hmac.compare_digest(guest.password.encode(), password.encode()):
                guest.password = ""
                return guest
        return None

"""The sessions of procedures: a handler's statements run in the session of the CALL.

The CALL waits for its handler and holds the session's lock. The handler logs in with a password
that is valid for one login, and gets a token with which its statements run in that same session,
without waiting for the lock: temporary tables, the open transaction and the current schema are the
caller's, as in Snowflake.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import threading
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

import anyio
from anyio.to_thread import run_sync

from local_snowflake.sql.errors import SqlError

_T = TypeVar("_T")
_STOP_SECONDS = 0.1


class CallingSession(Protocol):
    """A session that calls procedures."""

    @property
    def handlers(self) -> Sized:
        """The procedures that it has called, each of which may have called the next one."""
        ...

    def interrupt(self, beyond: int = 0) -> None:
        """Stop the running statement, but not the given number of outermost procedures."""
        ...


_Session = TypeVar("_Session", bound=CallingSession)


class Guest(Generic[_Session]):
    """A handler that may use the session that called it.

    Args:
        session: The session of the CALL.

    Attributes:
        session: The session of the CALL.
        password: Valid for one login.
        token: The token by which the handler's requests name it.
        lock: Held while one of its statements runs, so that they run one after the other.
    """

    def __init__(self, session: _Session) -> None:
        self.session = session
        self.password = secrets.token_urlsafe(32)
        self.token = secrets.token_urlsafe(32)
        self.lock = asyncio.Lock()
        self._depth = len(session.handlers)
        self._busy = threading.Lock()
        self._is_closed = False
        # A limiter of its own: the thread of the CALL is taken while it waits, so if the handler's
        # statements needed threads of the same pool, enough CALLs at once would wait forever.
        self._limiter: anyio.CapacityLimiter | None = None

    async def in_thread(self, function: Callable[..., _T], *arguments: object) -> _T:
        """Call a function in a thread, while the CALL runs.

        Raises:
            SqlError: The CALL has ended.
        """
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(1)
        return await run_sync(lambda: self._run(function, *arguments), limiter=self._limiter)

    def close(self) -> None:
        """Accept no more statements, and stop the running one."""
        self._is_closed = True
        while not self._busy.acquire(timeout=_STOP_SECONDS):
            self.session.interrupt(beyond=self._depth)  # the procedures around this one go on
        self._busy.release()

    def _run(self, function: Callable[..., _T], *arguments: object) -> _T:
        with self._busy:
            if self._is_closed:
                raise SqlError("The procedure has ended.", 390111, "08003")
            return function(*arguments)


class Guests(Generic[_Session]):
    """The guests of all sessions."""

    def __init__(self) -> None:
        self._by_token: dict[str, Guest[_Session]] = {}

    @contextmanager
    def invited(self, session: _Session) -> Iterator[Guest[_Session]]:
        """Admit a handler to the session until the block ends."""
        guest = Guest(session)
        self._by_token[guest.token] = guest
        try:
            yield guest
        finally:
            del self._by_token[guest.token]
            guest.close()

    def by_token(self, token: str) -> Guest[_Session] | None:
        """Return the guest of that token."""
        return self._by_token.get(token)

    def log_in(self, password: str) -> Guest[_Session] | None:
        """Return the guest of that password, which is not valid again."""
        for guest in list(self._by_token.values()):
            if guest.password and hmac.compare_digest(guest.password.encode(), password.encode()):
                guest.password = ""
                return guest
        return None

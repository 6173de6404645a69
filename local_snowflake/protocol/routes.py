"""The routes of Snowflake's HTTP protocol.

They replace `fakesnow.server`, which keeps sessions in module globals, has no passwords, answers
unexpected errors with HTTP 500, and has neither asynchronous nor multiple statements.
"""

from __future__ import annotations

import gzip
import hmac
import json
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import count
from logging import Logger, getLogger
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_snowflake.engine.layer import Layer
from local_snowflake.engine.session import Session
from local_snowflake.engine.warehouse import Warehouse
from local_snowflake.identity import prove_identity
from local_snowflake.protocol.clients import Clients
from local_snowflake.protocol.login import (
    WRONG_PASSWORD,
    WRONG_PASSWORD_MESSAGE,
    login_data,
    open_session,
    renewal_data,
)
from local_snowflake.protocol.own_host import OwnHostOnly
from local_snowflake.protocol.queries import MAX_WAIT_SECONDS, Query, QueryLog, failure
from local_snowflake.routines.handler_processes.caller_sessions import Guest, Guests
from local_snowflake.sql.errors import SqlError

SESSION_GONE = "390104"

_SUCCESS = {"data": None, "code": None, "message": None, "success": True}


@dataclass
class Service:
    """The state that all routes share.

    Attributes:
        warehouse: The database files.
        layer: The gap-fillers.
        token: The password of all logins.
        sessions: The open sessions by token.
        queries: The recent queries.
        last_request: The time of the last request, on the monotonic clock.
        numbers: The ids of the next sessions.
        guests: The handlers of procedures that may log in.
        answer_seconds: After how long a statement that still runs is answered with "in progress".
        clients: The open TCP connections of each session.
    """

    warehouse: Warehouse
    layer: Layer[Session]
    token: str
    sessions: dict[str, Session] = field(default_factory=dict)
    queries: QueryLog = field(default_factory=QueryLog)
    last_request: float = field(default_factory=time.monotonic)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    log: Logger = field(default_factory=lambda: getLogger("local_snowflake"))
    guests: Guests[Session] = field(default_factory=Guests)
    answer_seconds: float = MAX_WAIT_SECONDS
    clients: Clients = field(init=False)

    def __post_init__(self) -> None:
        self.clients = Clients(self.abandon)

    @property
    def idle_seconds(self) -> float:
        """For how long no request has come and nothing has run."""
        return 0.0 if self.queries.running else time.monotonic() - self.last_request

    async def login(self, request: Request) -> Response:
        """Open a session if the password is the token."""
        data = (await _body(request)).get("data") or {}
        password = str(data.get("PASSWORD", ""))
        guest = self.guests.log_in(password)
        if guest is not None:
            return JSONResponse({"data": login_data(guest.session, guest.token), "success": True})
        if not hmac.compare_digest(password.encode(), self.token.encode()):
            return JSONResponse(_refusal(WRONG_PASSWORD, WRONG_PASSWORD_MESSAGE))
        session = await run_in_threadpool(
            open_session,
            self.warehouse,
            self.layer,
            self.guests,
            query=request.query_params,
            data=data,
            number=next(self.numbers),
        )
        self.sessions[session.token] = session
        self.clients.connected(session, _address(request))
        return JSONResponse({"data": login_data(session, session.token), "success": True})

    async def query(self, request: Request) -> Response:
        """Run a request, or wait for it when the client sends it again."""
        session, guest = self._client(request)
        body = await _body(request)
        request_id = request.query_params.get("requestId") or secrets.token_hex(16)
        query = self.queries.by_request(session, request_id)
        if query is None:
            query = self.queries.start(session, request_id, body, guest)
        answer = await query.answer(0.0 if body.get("asyncExec") else self.answer_seconds)
        if query.error:
            self.log.info(
                "query %s failed: %s %s", query.id, query.error.code, query.error.sqlstate
            )
        return JSONResponse(answer)

    async def result(self, request: Request) -> Response:
        """Return the result of an earlier query, waiting for it if it still runs."""
        query = self._query(request)
        if query is None:
            return JSONResponse(_refusal("000709", "The query's result is no longer available."))
        return JSONResponse(await query.answer(self.answer_seconds))

    async def query_status(self, request: Request) -> Response:
        """Return the status of an earlier query."""
        query = self._query(request)
        if query is None:
            return JSONResponse({**_SUCCESS, "data": {"queries": []}})
        status: dict[str, Any] = {
            "id": query.id,
            "status": "SUCCESS" if query.is_done else "RUNNING",
        }
        if query.error:
            status["status"] = "FAILED_WITH_ERROR"
            status["errorCode"] = f"{query.error.code:06d}"
            status["errorMessage"] = query.error.message
        return JSONResponse({**_SUCCESS, "data": {"queries": [status]}})

    async def abort(self, request: Request) -> Response:
        """Cancel a query by its id or by the id of the request that started it."""
        session, guest = self._client(request)
        if "query_id" in request.path_params:
            query = self._query(request)
        else:
            query = self.queries.by_request(session, str((await _body(request)).get("requestId")))
        if query and not query.is_done:
            if guest is None:
                query.session.interrupt()
            else:
                query.session.interrupt_query()  # the CALL goes on
        return JSONResponse(_SUCCESS)

    async def session(self, request: Request) -> Response:
        """Answer a heartbeat, or with `delete=true` end the session."""
        session, guest = self._client(request)
        # A handler's session belongs to its caller and goes on.
        if request.query_params.get("delete") and guest is None:
            await self.close_session(session)
        return JSONResponse(_SUCCESS)

    async def renew(self, request: Request) -> Response:
        """Renew a session: its tokens stay the same."""
        session, guest = self._client(request)
        token = guest.token if guest else session.token
        return JSONResponse({**_SUCCESS, "data": renewal_data(session, token)})

    async def telemetry(self, request: Request) -> Response:  # noqa: ARG002 - a route's signature
        """Accept drivers' telemetry and discard it."""
        return JSONResponse({**_SUCCESS, "data": "Log Received"})

    async def identity(self, request: Request) -> Response:
        """Prove that this server knows the token, without revealing it."""
        nonce = request.query_params.get("nonce", "")
        return JSONResponse(
            {"proof": prove_identity(self.token, nonce), "sessions": len(self.sessions)}
        )

    async def alive(self, request: Request) -> Response:  # noqa: ARG002 - a route's signature
        """Answer a step that wants to know whether there still is a warehouse, and stay for it."""
        self.last_request = time.monotonic()
        return Response()

    async def close_session(self, session: Session) -> None:
        """End a session: roll back its transaction, drop its temporary objects."""
        if self.sessions.pop(session.token, None):
            self.clients.remove(session)
            async with session.lock:
                await run_in_threadpool(session.close)

    async def abandon(self, session: Session) -> None:
        """End a session whose client has disconnected."""
        self.log.info(
            "session %s: its client has disconnected, its transaction is rolled back",
            session.number,
        )
        await self.close_session(session)

    async def close(self) -> None:
        """End all sessions and close the files."""
        self.clients.close()
        for session in list(self.sessions.values()):
            session.interrupt()
            await self.close_session(session)
        await run_in_threadpool(self.warehouse.close)

    def _client(self, request: Request) -> tuple[Session, Guest[Session] | None]:
        """Return the session that a request names, and the handler that sent it, if one did."""
        self.last_request = time.monotonic()
        # Authorization: Snowflake Token="…"
        token = request.headers.get("Authorization", "").partition('"')[2].rstrip('"')
        guest = self.guests.by_token(token)
        if guest is not None:
            return guest.session, guest
        session = self.sessions.get(token)
        if session is None:
            raise _SessionGoneError
        self.clients.connected(session, _address(request))
        return session, None

    def _query(self, request: Request) -> Query | None:
        self._client(request)
        return self.queries.get(request.path_params["query_id"])


Endpoint = Callable[[Request], Awaitable[Response]]
Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def build_app(service: Service, lifespan: Lifespan | None = None) -> Starlette:
    """Build the ASGI application of the warehouse."""

    def route(path: str, endpoint: Endpoint, method: str) -> Route:
        return Route(path, _with_error_answers(endpoint, service.log), methods=[method])

    async def unknown(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        message = f"{request.method} {request.url.path} is not in the embedded warehouse."
        return JSONResponse(_refusal("390404", message), status_code=status)

    routes = [
        route("/session/v1/login-request", service.login, "POST"),
        route("/session/token-request", service.renew, "POST"),
        route("/session/heartbeat", service.session, "POST"),
        route("/session", service.session, "POST"),
        route("/queries/v1/query-request", service.query, "POST"),
        route("/queries/v1/abort-request", service.abort, "POST"),
        route("/queries/{query_id}/abort-request", service.abort, "POST"),
        route("/queries/{query_id}/result", service.result, "GET"),
        route("/monitoring/queries/{query_id}", service.query_status, "GET"),
        route("/telemetry/send", service.telemetry, "POST"),
        route("/telemetry/send/sessionless", service.telemetry, "POST"),
        route("/local/identity", service.identity, "GET"),
        route("/", service.alive, "HEAD"),
    ]
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers={HTTPException: unknown},
        middleware=[Middleware(OwnHostOnly)],
    )


def _with_error_answers(endpoint: Endpoint, log: Logger) -> Endpoint:
    """Answer every exception with `success: false`: drivers repeat an HTTP 500 for minutes."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except _SessionGoneError:
            message = "The session is gone. User must login again."
            return JSONResponse(_refusal(SESSION_GONE, message))
        except SqlError as error:
            return JSONResponse(failure(error))
        except Exception as error:  # noqa: BLE001 - the client gets an answer to every exception
            # The log gets the place and not the message, which may quote a statement.
            where = "".join(traceback.format_tb(error.__traceback__)[-5:])
            log.error("%s in %s\n%s", type(error).__name__, request.url.path, where)  # noqa: TRY400 - without the message
            message = f"Internal error of the embedded warehouse: {type(error).__name__}: {error}"
            return JSONResponse(_refusal("000603", message))

    return answer


class _SessionGoneError(Exception):
    """The request names no open session."""


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        raw = gzip.decompress(raw)
    body = json.loads(raw or b"{}")
    return body if isinstance(body, dict) else {}


def _address(request: Request) -> tuple[str, int] | None:
    return (request.client.host, request.client.port) if request.client else None


def _refusal(code: str, message: str) -> dict[str, Any]:
    return {"data": {"errorCode": code}, "code": code, "message": message, "success": False}

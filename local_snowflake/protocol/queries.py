"""Running requests: waiting for their result, fetching it later, cancelling them.

Snowflake answers a request with its result or, when it takes long or the client asks for that, with
an address where the result will be. Both forms use the same record of queries.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from local_snowflake.engine.results import StatementResult
from local_snowflake.engine.session import Session
from local_snowflake.objects.session_parameters import statement_seconds
from local_snowflake.protocol.bindings import distribute_bindings, read_bindings
from local_snowflake.protocol.results import MultipleResults, Result, response_data
from local_snowflake.routines.handler_processes.caller_sessions import Guest
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import SqlError
from local_snowflake.sql.statements import Statement, split_statements

Answer = dict[str, Any]
_T = TypeVar("_T")

# Drivers give a request a minute or so; real Snowflake answers "in progress" after 45 seconds.
MAX_WAIT_SECONDS = 40.0
MAX_QUERIES = 200
MAX_RESULT_BYTES = 128 * 1024 * 1024
IN_PROGRESS = "333333"
IN_PROGRESS_ASYNC = "333334"


class Query:
    """One request, running or done.

    Args:
        session: The session that runs it.
        running: The task that returns its result.
        query_id: Its id, by which clients find it.
    """

    def __init__(self, session: Session, running: asyncio.Future[Result], query_id: str) -> None:
        self.session = session
        self.id = query_id
        self._running = running

    @property
    def is_done(self) -> bool:
        """Whether it has a result or an error."""
        return self._running.done()

    @property
    def error(self) -> SqlError | None:
        """Why it failed; None while it runs."""
        error = self._running.exception() if self.is_done else None
        return error if isinstance(error, SqlError) else None

    @property
    def nbytes(self) -> int:
        """The size of its rows; 0 while it runs and when it failed."""
        failed = not self.is_done or self._running.cancelled() or self._running.exception()
        result = None if failed else self._running.result()
        return int(result.table.nbytes) if isinstance(result, StatementResult) else 0

    def when_done(self, call: Callable[[Query], None]) -> None:
        """Call a function with this query as soon as it has a result or an error."""
        self._running.add_done_callback(lambda _: call(self))

    async def answer(self, wait_seconds: float) -> Answer:
        """Wait for the result for a limited time, and build the response to the client."""
        await asyncio.wait([self._running], timeout=wait_seconds)
        if not self.is_done:
            code = IN_PROGRESS if wait_seconds else IN_PROGRESS_ASYNC
            url = f"/queries/{self.id}/result"
            data = {"queryId": self.id, "getResultUrl": url, "queryAbortsAfterSecs": 86400}
            return {"data": data, "code": code, "message": "in progress", "success": True}
        if self.error:
            return failure(self.error, self.id)
        connection = self.session.connection
        data = {
            "queryId": self.id,
            "finalDatabaseName": connection.database,
            "finalSchemaName": connection.schema,
            "finalWarehouseName": self.session.warehouse_name,
            "finalRoleName": self.session.role_name,
            **response_data(self._running.result()),
        }
        return {"data": data, "code": None, "message": None, "success": True}


class _Owner:
    """The client that has logged in to a session; the session's handlers are `Guest`s."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.lock = session.lock

    async def in_thread(self, function: Callable[..., _T], *arguments: object) -> _T:
        """Call a function in a thread."""
        return await run_in_threadpool(function, *arguments)


class QueryLog:
    """The recent queries of all sessions; the oldest finished ones are dropped first."""

    def __init__(self) -> None:
        self._by_id: OrderedDict[str, Query] = OrderedDict()
        self._by_request: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._sizes: dict[str, int] = {}  # of those that are done
        self._size = 0

    @property
    def running(self) -> int:
        """How many queries are not done."""
        return sum(not query.is_done for query in self._by_id.values())

    def get(self, query_id: str) -> Query | None:
        """Return the query of that id."""
        return self._by_id.get(query_id)

    def by_request(self, session: Session, request_id: str) -> Query | None:
        """Return the query that a request started: drivers repeat requests on network errors."""
        return self._by_id.get(self._by_request.get((session.token, request_id), ""))

    def start(
        self,
        session: Session,
        request_id: str,
        body: Mapping[str, Any],
        guest: Guest[Session] | None = None,
    ) -> Query:
        """Start to run a request.

        Args:
            session: The session in which its statements run.
            request_id: The id that the client has given it.
            body: The request's body.
            guest: The handler that sent it, if one did.
        """
        query_id = str(uuid.uuid4())
        task = asyncio.ensure_future(self._run(guest or _Owner(session), body, query_id))
        query = self._add(Query(session, task, query_id))
        self._by_request[session.token, request_id] = query_id
        return query

    async def _run(
        self, client: Guest[Session] | _Owner, body: Mapping[str, Any], query_id: str
    ) -> Result:
        session = client.session
        statements = split_statements(body.get("sqlText") or "")
        async with client.lock:
            if not statements:
                raise SqlError("Empty SQL statement.", 900, "42601")
            expected = int((body.get("parameters") or {}).get("MULTI_STATEMENT_COUNT", 1))
            if expected not in {0, len(statements)}:
                raise SqlError(
                    f"Actual statement count {len(statements)} did not match the desired "
                    f"statement count {expected}.",
                    8,
                    "0A000",
                )
            if body.get("describeOnly"):
                return await client.in_thread(session.describe, statements[0])
            values = distribute_bindings(read_bindings(body.get("bindings")), statements)
            if len(statements) == 1:
                return await _run_statement(client, statements[0], values[0], query_id)
            return await self._run_each(client, statements, values)

    async def _run_each(
        self,
        client: Guest[Session] | _Owner,
        statements: list[Statement],
        values: list[Bindings],
    ) -> MultipleResults:
        session = client.session
        outcome = MultipleResults()
        for statement, bound in zip(statements, values, strict=True):
            query_id = str(uuid.uuid4())
            result = await _run_statement(client, statement, bound, query_id)
            done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
            done.set_result(result)
            self._add(Query(session, done, query_id))
            outcome.ids.append(query_id)
            outcome.results.append(result)
        return outcome

    def _add(self, query: Query) -> Query:
        self._by_id[query.id] = query
        query.when_done(self._measure)
        while len(self._by_request) > MAX_QUERIES:
            self._by_request.popitem(last=False)
        self._drop_oldest(query)
        return query

    def _measure(self, query: Query) -> None:
        if query.id in self._by_id:
            self._sizes[query.id] = query.nbytes
            self._size += self._sizes[query.id]

    def _drop_oldest(self, newest: Query) -> None:
        while len(self._by_id) > MAX_QUERIES or self._size > MAX_RESULT_BYTES:
            done = (q for q in self._by_id.values() if q.is_done and q is not newest)
            oldest = next(done, None)
            if oldest is None:
                return
            del self._by_id[oldest.id]
            self._size -= self._sizes.pop(oldest.id, 0)


async def _run_statement(
    client: Guest[Session] | _Owner, statement: Statement, bound: Bindings, query_id: str
) -> StatementResult:
    """Run a statement, and cancel it after the time that STATEMENT_TIMEOUT_IN_SECONDS gives it."""
    session = client.session
    seconds = statement_seconds(session)
    expired = asyncio.Event()

    def cancel() -> None:
        expired.set()
        if isinstance(client, _Owner):
            session.interrupt()
        else:
            session.interrupt_query()  # the CALL that the handler belongs to goes on

    timer = asyncio.get_running_loop().call_later(seconds, cancel) if seconds else None
    try:
        return await client.in_thread(session.run, statement, bound, query_id)
    except SqlError as error:
        if not expired.is_set():
            raise
        message = (
            f"Statement reached its statement or warehouse timeout of {seconds} second(s) and was"
            " canceled."
        )
        raise SqlError(message, 630, "57014") from error
    finally:
        if timer is not None:
            timer.cancel()


def failure(error: SqlError, query_id: str | None = None) -> Answer:
    """Build the response for a statement that failed."""
    code = f"{error.code:06d}"
    data = {"errorCode": code, "sqlState": error.sqlstate, "queryId": query_id}
    return {"data": data, "code": code, "message": error.message, "success": False}

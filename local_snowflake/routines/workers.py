"""The processes that compute functions in Python.

DuckDB passes batches of rows with the number of the session that runs the query: each session has
a process of its own per function, which runs until the session ends.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs
from duckdb import DuckDBPyConnection

from local_snowflake.routines.catalog import unknown_routine
from local_snowflake.routines.definitions import FUNCTION, Routine, Signature
from local_snowflake.routines.duck_functions import DuckFunctions
from local_snowflake.routines.handler_processes.environment import (
    START_SECONDS,
    HandlerEnvironment,
    StartedHandler,
)
from local_snowflake.routines.handler_processes.errors import handler_ended, python_error
from local_snowflake.routines.handler_processes.process import HandlerEndedError, HandlerProcess
from local_snowflake.routines.handler_side.function import arrow_type
from local_snowflake.sql.errors import SqlError
from local_snowflake.sql.names import Name
from local_snowflake.sql.types import SnowflakeType


@dataclass(eq=False)
class _Worker:
    """The process of one function and session.

    Attributes:
        routine: The function that it computes.
        lock: Held while it computes.
        started: The process, once it is started.
        is_retired: Whether it gets no more batches.
    """

    routine: Routine
    lock: threading.Lock = field(default_factory=threading.Lock)
    started: StartedHandler | None = None
    is_retired: bool = False

    def kill(self) -> None:
        """Kill the process at once."""
        started = self.started
        if started is not None:
            started.process.kill()

    def retire(self) -> None:
        """End the process; if it computes, the thread that waits for it does so afterwards."""
        self.is_retired = True
        if self.lock.acquire(blocking=False):
            try:
                self.close()
            finally:
                self.lock.release()

    def close(self) -> None:
        """End the process; called by the holder of the lock."""
        started, self.started = self.started, None
        if started is not None:
            started.close()


class FunctionWorkers:
    """The functions of all sessions, and the processes that compute them.

    Args:
        duck: A connection of its own.
        environment: The environment of the processes.
        routines: The permanent functions, which views may use.
    """

    def __init__(
        self, duck: DuckDBPyConnection, environment: HandlerEnvironment, routines: list[Routine]
    ) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._routines: dict[str, Routine] = {}
        self._workers: dict[tuple[int, str], _Worker] = {}
        self._computing: list[tuple[int, _Worker]] = []
        self._failures: dict[int, SqlError] = {}
        self._stopped: set[int] = set()
        self._in_duck = DuckFunctions(duck, self.compute)
        for routine in routines:
            if routine.kind == FUNCTION:
                self.define(routine)

    def define(self, routine: Routine, session: int | None = None) -> None:
        """Register a function, in place of an earlier one with its signature.

        Args:
            routine: The function.
            session: The number of the session whose temporary function it is.
        """
        key = function_key(routine, session)
        self._in_duck.register(routine)
        with self._lock:
            self._routines[key] = routine
        self._retire(lambda _, function: function == key)

    def drop(self, routine: Routine, session: int | None = None) -> None:
        """Drop a function; a running batch is finished."""
        key = function_key(routine, session)
        with self._lock:
            self._routines.pop(key, None)
        self._retire(lambda _, function: function == key)

    def is_busy(self, session: int) -> bool:
        """Whether a process of a session computes."""
        return any(owner == session for owner, _ in list(self._computing))

    def begin_statement(self, session: int) -> None:
        """Allow functions again that `stop` has stopped: a new statement begins."""
        self._stopped.discard(session)
        self._failures.pop(session, None)

    def stop(self, session: int) -> None:
        """Compute nothing until the next statement, and kill the processes that compute."""
        self._stopped.add(session)
        for owner, worker in list(self._computing):
            if owner == session:
                worker.kill()

    def end_session(self, session: int) -> None:
        """End the processes of a session."""
        self._retire(lambda owner, _: owner == session)
        self.begin_statement(session)

    def take_failure(self, session: int) -> SqlError | None:
        """Return and clear the error with which a function has failed in a session."""
        return self._failures.pop(session, None)

    def record_failure(self, session: int, error: SqlError) -> None:
        """Record the error to report in place of DuckDB's, unless there is one already."""
        self._failures.setdefault(session, error)

    def result_type(self, key: str) -> pa.DataType | None:
        """Return the type of the results of `compute`; None if there is no such function."""
        routine = self._routines.get(key)
        return arrow_type(_returned(routine)) if routine else None

    def compute(self, session: int, key: str, columns: list[Any]) -> Any:
        """Compute a function for some rows.

        Args:
            session: The number of the session whose query it is.
            key: The function's key.
            columns: Its arguments as Arrow columns; for a function without any, one column of any
                values.

        Returns:
            The results, one for each row.

        Raises:
            SqlError: Also kept for `take_failure`: DuckDB passes on its text only.
        """
        try:
            with self._working(session, key) as worker:
                return self._computed(session, worker, columns)
        except SqlError as error:
            self._failures[session] = error
            raise

    @contextmanager
    def _working(self, session: int, key: str) -> Iterator[_Worker]:
        with self._lock:
            routine = self._routines.get(key)
            if routine is None:  # a view or a running query still calls it
                raise unknown_routine(FUNCTION, _signature(key))
            worker = self._workers.setdefault((session, key), _Worker(routine))
        work = (session, worker)
        self._computing.append(work)
        try:
            with worker.lock:
                yield worker
        finally:
            self._computing.remove(work)
            if worker.is_retired:
                worker.retire()

    def _computed(self, session: int, worker: _Worker, columns: list[Any]) -> Any:
        routine = worker.routine
        table = pa.table(columns, names=[str(i) for i in range(len(columns))])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        try:
            process = self._process(session, worker)
            process.send(memoryview(sink.getvalue()))
            answer = json.loads(process.receive())
            if "error" in answer:
                raise python_error(routine, answer["error"], self._environment.label)
            with pa.ipc.open_stream(pa.py_buffer(process.receive())) as reader:
                return reader.read_all().column(0)
        except HandlerEndedError as error:
            worker.close()
            raise handler_ended(routine, error, is_cancelled=session in self._stopped) from error

    def _retire(self, is_it: Callable[[int, str], bool]) -> None:
        with self._lock:
            keys = [key for key in self._workers if is_it(*key)]
            workers = [self._workers.pop(key) for key in keys]
        for worker in workers:
            worker.retire()

    def _process(self, session: int, worker: _Worker) -> HandlerProcess:
        is_new = worker.started is None
        started = worker.started or self._environment.start(worker.routine)
        worker.started = started
        if session in self._stopped:  # before there was a process to kill, or between two batches
            raise HandlerEndedError("It was stopped.")
        if is_new:
            self._load(worker, started)
        return started.process

    def _load(self, worker: _Worker, started: StartedHandler) -> None:
        routine = worker.routine
        message = {
            "kind": routine.kind,
            "handler": routine.handler,
            "body": routine.body,
            "imports": started.imports,
            "arguments": [argument.type.kind for argument in routine.arguments],
            "returns": _returned(routine),
        }
        started.process.send(json.dumps(message).encode())
        answer = json.loads(started.process.receive(START_SECONDS))
        if "error" in answer:
            worker.close()
            raise python_error(routine, answer["error"], self._environment.label)


def function_key(routine: Routine, session: int | None = None) -> str:
    """Return the key of a function; a function that replaces another has the same key.

    Args:
        routine: The function.
        session: The number of the session whose temporary function it is.
    """
    _, name, types = routine.signature
    return json.dumps([name, types, session])


def _returned(routine: Routine) -> dict[str, Any]:
    returns = routine.returns or SnowflakeType("VARCHAR")
    return {"kind": returns.kind, "precision": returns.precision, "scale": returns.scale}


def _signature(key: str) -> Signature:
    name, types, _ = json.loads(key)
    return Signature(FUNCTION, Name(*name), tuple(types))

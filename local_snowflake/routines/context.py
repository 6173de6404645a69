"""What procedures and functions in Python need of a session beyond `StatementContext`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from duckdb import DuckDBPyConnection

from local_snowflake.engine.context import StatementContext, WarehouseAccess
from local_snowflake.routines.catalog import SessionRoutines
from local_snowflake.routines.handler_processes.caller_sessions import Guest
from local_snowflake.routines.handler_processes.environment import HandlerEnvironment
from local_snowflake.routines.handler_processes.running import RunningHandlers
from local_snowflake.routines.workers import FunctionWorkers


class RoutineWarehouse(WarehouseAccess, Protocol):
    """The warehouse, with what runs handlers."""

    @property
    def functions(self) -> FunctionWorkers:
        """The processes that compute functions."""
        ...

    @property
    def handlers(self) -> HandlerEnvironment:
        """The Python environment of handlers."""
        ...


class RoutineContext(StatementContext, Protocol):
    """The session that runs a statement, as procedures and functions see it."""

    @property
    def warehouse(self) -> RoutineWarehouse:
        """The warehouse that all sessions share."""
        ...

    @property
    def routines(self) -> SessionRoutines:
        """The procedures and functions that the session sees."""
        ...

    @property
    def handlers(self) -> RunningHandlers:
        """The processes of the procedures that the session has called."""
        ...

    @property
    def readers(self) -> list[DuckDBPyConnection]:
        """Connections beside the session's own that read for the running statement."""
        ...

    def invite_handler(self) -> AbstractContextManager[Guest[Any]]:
        """Let a procedure's handler log in to this session until the block ends."""
        ...

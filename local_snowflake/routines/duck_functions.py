"""The DuckDB functions by which queries call functions in Python.

DuckDB calls a function by its address, without a reference to it, even if it was removed while a
query runs. So none is removed or replaced: there is one for each type of results, and the second
argument of a call names the function in Python.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from duckdb import DuckDBPyConnection
from duckdb.func import FunctionNullHandling, PythonUDFType
from sqlglot import Expr, exp

from local_snowflake.routines.definitions import Routine
from local_snowflake.sql.quoting import sql_literal

SESSION_VARIABLE = "local_snowflake_session"
"""DuckDB's variable with the number of a connection's session."""

_PREFIX = "python_function_returning_"

Compute = Callable[[int, str, list[Any]], Any]
"""Takes a session's number, a function's key and Arrow columns; returns an Arrow column."""


class NoSessionError(Exception):
    """A function is computed on a connection without a session."""


class DuckFunctions:
    """The functions that are registered in DuckDB.

    Args:
        duck: A connection of its own.
        compute: The function that they call.
    """

    def __init__(self, duck: DuckDBPyConnection, compute: Compute) -> None:
        self._duck = duck
        self._compute = compute
        self._lock = threading.Lock()
        self._known: dict[str, Callable[..., Any]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def register(self, routine: Routine) -> None:
        """Register the DuckDB function that calls of a routine use."""
        name = _name(routine)
        with self._lock:
            if name in self._known:
                return

            def compute(*columns: Any) -> Any:
                return self._computed(*columns)

            self._known[name] = compute
            self._duck.create_function(
                name,
                compute,
                None,  # any number, of any types
                _returned(routine),
                type=PythonUDFType.ARROW,
                null_handling=FunctionNullHandling.SPECIAL,
                side_effects=_has_side_effects(routine),
            )

    def _computed(self, sessions: Any, keys: Any, *columns: Any) -> Any:
        session = sessions[0].as_py() if len(sessions) else None
        if session is None:
            raise NoSessionError
        # Without arguments the column of sessions has the number of rows.
        return self._compute(session, keys[0].as_py(), list(columns) or [sessions])


def call_sql(routine: Routine, key: str, arguments: Sequence[str]) -> str:
    """Return DuckDB's SQL for the call of a function.

    Args:
        routine: The function.
        key: The function's key (`workers.function_key`).
        arguments: The SQL of its arguments, in their declared types.
    """
    session = f"CAST(getvariable('{SESSION_VARIABLE}') AS BIGINT)"
    return f"{_name(routine)}({', '.join([session, sql_literal(key), *arguments])})"


class FunctionCall(NamedTuple):
    """The call of a function.

    Attributes:
        node: The call.
        key: The function's key.
        arguments: The arguments, in their declared types.
    """

    node: Expr
    key: str
    arguments: list[Expr]


def parse_call(node: Expr) -> FunctionCall | None:
    """Return the call in a node of DuckDB's syntax tree; None if it is no call of a function."""
    if not isinstance(node, exp.Anonymous) or not node.name.startswith(_PREFIX):
        return None
    _, key, *arguments = node.expressions
    return FunctionCall(node, key.name, arguments)


def _name(routine: Routine) -> str:
    words = "".join(c if c.isalnum() else " " for c in _returned(routine).lower()).split()
    suffix = "_each_time" if _has_side_effects(routine) else ""
    return f"{_PREFIX}{'_'.join(words)}{suffix}"


def _returned(routine: Routine) -> str:
    return routine.returns.duckdb if routine.returns else "VARCHAR"


def _has_side_effects(routine: Routine) -> bool:
    # DuckDB accepts only functions without side effects in the ORDER BY of windows. Functions
    # without arguments need side effects: else they would be computed once for all rows.
    return not routine.arguments

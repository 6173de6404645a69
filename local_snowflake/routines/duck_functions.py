"""DuckDB's functions through which queries reach functions in Python.

DuckDB calls a function by its address, without a reference to it, also when it was removed while a
query runs. So none is removed or replaced: there is one for each type of results, whoever defines
functions, and a call tells by its second argument which function it means.
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
"""Gets a session's number, a function's key and columns of Arrow's; gives a column."""


class NoSessionError(Exception):
    """A function is computed where no session is."""


class DuckFunctions:
    """The functions that DuckDB knows.

    Args:
        duck: A connection of its own.
        compute: What they call.
    """

    def __init__(self, duck: DuckDBPyConnection, compute: Compute) -> None:
        self._duck = duck
        self._compute = compute
        self._lock = threading.Lock()
        self._known: dict[str, Callable[..., Any]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def provide_for(self, routine: Routine) -> None:
        """Let DuckDB know what calls of a function call."""
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
                None,  # as many as there are, of any types
                _returned(routine),
                type=PythonUDFType.ARROW,
                null_handling=FunctionNullHandling.SPECIAL,
                side_effects=_has_side_effects(routine),
            )

    def _computed(self, sessions: Any, keys: Any, *columns: Any) -> Any:
        session = sessions[0].as_py() if len(sessions) else None
        if session is None:
            raise NoSessionError
        # Without arguments the column of sessions tells how many rows there are.
        return self._compute(session, keys[0].as_py(), list(columns) or [sessions])


def call_sql(routine: Routine, key: str, arguments: Sequence[str]) -> str:
    """DuckDB's SQL for the call of a function.

    Args:
        routine: The function.
        key: What tells it from all others.
        arguments: The SQL of its arguments, in their declared types.
    """
    session = f"CAST(getvariable('{SESSION_VARIABLE}') AS BIGINT)"
    return f"{_name(routine)}({', '.join([session, sql_literal(key), *arguments])})"


class Called(NamedTuple):
    """The call of a function.

    Attributes:
        node: The call.
        key: What tells the function from all others.
        arguments: The call's, in their declared types.
    """

    node: Expr
    key: str
    arguments: list[Expr]


def called_by(node: Expr) -> Called | None:
    """What a node of DuckDB's syntax tree calls; None: it is no such call."""
    if not isinstance(node, exp.Anonymous) or not node.name.startswith(_PREFIX):
        return None
    _, key, *arguments = node.expressions
    return Called(node, key.name, arguments)


def _name(routine: Routine) -> str:
    words = "".join(c if c.isalnum() else " " for c in _returned(routine).lower()).split()
    suffix = "_each_time" if _has_side_effects(routine) else ""
    return f"{_PREFIX}{'_'.join(words)}{suffix}"


def _returned(routine: Routine) -> str:
    return routine.returns.duckdb if routine.returns else "VARCHAR"


def _has_side_effects(routine: Routine) -> bool:
    # DuckDB orders windows by functions without side effects only. Those without arguments have
    # them: else they would be computed once for all rows.
    return not routine.arguments

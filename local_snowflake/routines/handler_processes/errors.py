"""The errors that clients get when a handler fails."""

from __future__ import annotations

from local_snowflake.routines.definitions import Routine
from local_snowflake.routines.handler_processes.process import HandlerEndedError
from local_snowflake.sql.errors import SqlError, canceled

PYTHON_ERROR = 100357
_SQLSTATE = "P0000"


def python_error(routine: Routine, error: dict[str, str], environment: str) -> SqlError:
    """Make the error for an exception in a handler's process.

    Args:
        routine: The procedure or function.
        error: `traceback` of the handler's exception, or `missing`, what its environment lacks.
        environment: The environment's folder.
    """
    if "missing" in error:
        return SqlError(
            f"{routine.signature} cannot run: the environment {environment}, which runs the "
            f"handlers of the embedded warehouse, lacks {error['missing']}.",
            PYTHON_ERROR,
            _SQLSTATE,
        )
    return SqlError(
        f"Python Interpreter Error:\n{error['traceback'].rstrip()}\n in function "
        f"{routine.name.name} with handler {routine.handler}",
        PYTHON_ERROR,
        _SQLSTATE,
    )


def handler_ended(routine: Routine, error: HandlerEndedError, *, is_cancelled: bool) -> SqlError:
    """Make the error for a process that has ended before its answer."""
    if is_cancelled:
        return canceled()
    return SqlError(
        f"Python Interpreter Error:\n{routine.signature} did not come to its end. {error}",
        PYTHON_ERROR,
        _SQLSTATE,
    )

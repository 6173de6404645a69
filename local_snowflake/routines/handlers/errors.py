"""What clients are told when a handler fails."""

from __future__ import annotations

from local_snowflake.routines.definitions import Routine
from local_snowflake.routines.handlers.process import HandlerEndedError
from local_snowflake.sql.errors import CANCELED, SqlError

PYTHON_ERROR = 100357
_SQLSTATE = "P0000"


def python_error(routine: Routine, told: dict[str, str], environment: str) -> SqlError:
    """The error for what the handler's process told.

    Args:
        routine: What was called.
        told: `traceback` of the handler's exception, or `missing`: what its environment lacks.
        environment: Where it ran.
    """
    if "missing" in told:
        return SqlError(
            f"{routine.signature} cannot run: the environment {environment}, which runs the "
            f"handlers of the embedded warehouse, lacks {told['missing']}.",
            PYTHON_ERROR,
            _SQLSTATE,
        )
    return SqlError(
        f"Python Interpreter Error:\n{told['traceback'].rstrip()}\n in function "
        f"{routine.name.name} with handler {routine.handler}",
        PYTHON_ERROR,
        _SQLSTATE,
    )


def handler_ended(routine: Routine, error: HandlerEndedError, *, is_cancelled: bool) -> SqlError:
    """The error for a process that has ended before its answer."""
    if is_cancelled:
        return SqlError("SQL execution canceled", CANCELED, "57014")
    return SqlError(
        f"Python Interpreter Error:\n{routine.signature} did not come to its end. {error}",
        PYTHON_ERROR,
        _SQLSTATE,
    )

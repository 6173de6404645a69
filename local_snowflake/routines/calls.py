"""CALL: procedures in Python, each call in a process of its own.

What upstream lacks: all of it. The handler's session is the caller's (see `guests.py`). A
transaction that the handler leaves open is rolled back, as in Snowflake:
https://docs.snowflake.com/en/sql-reference/transactions#scoped-transactions
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from fakesnow.statement_type import SELECT

from local_snowflake.engine.results import StatementResult
from local_snowflake.routines.call_arguments import Call, evaluated, find_procedure
from local_snowflake.routines.definitions import Routine
from local_snowflake.routines.handlers.environment import START_SECONDS
from local_snowflake.routines.handlers.errors import ended, python_error
from local_snowflake.routines.handlers.process import HandlerEndedError
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import SqlError
from local_snowflake.sql.names import quoted
from local_snowflake.sql.statements import Statement
from local_snowflake.target import ACCOUNT

if TYPE_CHECKING:
    from fakesnow.rowtype import ColumnInfo

    from local_snowflake.engine.session import Session
    from local_snowflake.routines.handlers.guests import Guest

MAX_DEPTH = 5
"""How many procedures may call one another; as in Snowflake."""


class CallProcedure:
    """CALL name(arguments)."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement calls a procedure."""
        return statement.is_call

    def run(self, session: Session, statement: Statement, bindings: Bindings) -> StatementResult:
        """Run the handler and give its result as one row, or the rows of its data frame.

        Raises:
            SqlError: There is no such procedure, or the handler raised.
        """
        if len(session.handlers) >= MAX_DEPTH:
            raise SqlError("Stored procedure call depth exceeded.", 90229, "42601")
        call = find_procedure(session, statement, bindings)
        was_open = session.transactions.is_open
        try:
            answer = _run_handler(session, call)
        except BaseException:
            if not was_open:
                session.transactions.rollback()
            raise
        if session.transactions.left_open(was_open=was_open):
            session.transactions.rollback()
            raise SqlError(
                "Stored procedure execution error: Scoped transaction started in stored procedure "
                "is incomplete and it was rolled back.",
                90232,
                "P0000",
            )
        return _result(session, call.routine, answer)

    def described(self, session: Session, statement: Statement) -> list[ColumnInfo] | None:
        """The columns of the result; None: only the call shows them."""
        routine = find_procedure(session, statement, None).routine
        if routine.returns is None:
            return None
        return _scalar(session, routine, None).rowtype


def _run_handler(session: Session, call: Call) -> dict[str, Any]:
    routine, environment = call.routine, session.warehouse.handlers
    with ExitStack() as stack:
        guest = stack.enter_context(session.warehouse.guests.invited(session))
        started = environment.start(routine)
        stack.callback(started.close)
        process = started.process
        with session.handlers.at_work(process) as run:
            try:
                process.send(_first_message(call, guest, started.imports, environment.address))
                answer = json.loads(process.receive(START_SECONDS))
                if "ready" in answer:
                    answer = json.loads(process.receive())
            except HandlerEndedError as error:
                raise ended(routine, error, is_cancelled=run.is_cancelled) from error
    if "error" in answer:
        raise python_error(routine, answer["error"], environment.label)
    return dict(answer)


def _first_message(
    call: Call, guest: Guest, imports: tuple[str, ...], address: tuple[str, int]
) -> bytes:
    session, routine = guest.session, call.routine
    values = evaluated(session, call)
    return json.dumps(
        {
            "kind": routine.kind,
            "handler": routine.handler,
            "body": routine.body,
            "imports": imports,
            "arguments": [
                [argument.type.kind, value]
                for argument, value in zip(routine.arguments, values, strict=True)
            ],
            "returns": routine.returns.kind if routine.returns else None,
            "connection": {
                "account": ACCOUNT,
                "user": session.user or "LOCAL",
                "password": guest.password,
                "host": address[0],
                "port": address[1],
                "protocol": "http",
            },
        }
    ).encode()


def _result(session: Session, routine: Routine, answer: dict[str, Any]) -> StatementResult:
    if "query_id" not in answer:
        return _scalar(session, routine, answer["value"])
    result = session.warehouse.results.get(answer["query_id"])
    if result is None:
        raise SqlError("The rows of the procedure's result are no longer there.", 709, "02000")
    return StatementResult(result.table, result.rowtype, SELECT)


def _scalar(session: Session, routine: Routine, value: Any) -> StatementResult:
    kind = routine.returns
    if kind is None:
        raise SqlError(f"{routine.signature} has returned no table.", 100132, "P0000")
    column = quoted(routine.name.name)
    return session.select(f"SELECT {kind.giving('$1')} AS {column}", [value])

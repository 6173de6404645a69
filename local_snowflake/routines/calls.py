"""CALL: procedures in Python, each call in a process of its own.

What fakesnow lacks: all of it. The handler's session is the caller's (see
`handler_processes/caller_sessions.py`). A transaction that the handler leaves open is rolled back,
as in Snowflake:
https://docs.snowflake.com/en/sql-reference/transactions#scoped-transactions
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from fakesnow.dialect import parse_one
from fakesnow.rowtype import ColumnInfo
from fakesnow.statement_type import SELECT
from sqlglot import Expr, exp

from local_snowflake.engine.results import StatementResult
from local_snowflake.identity import ACCOUNT
from local_snowflake.routines.catalog import unknown_routine
from local_snowflake.routines.context import RoutineContext
from local_snowflake.routines.definitions import PROCEDURE, Routine
from local_snowflake.routines.handler_processes.environment import START_SECONDS
from local_snowflake.routines.handler_processes.errors import handler_ended, python_error
from local_snowflake.routines.handler_processes.process import HandlerEndedError
from local_snowflake.routines.overloads import best_overload, order_arguments, snowflake_kind
from local_snowflake.sql.bindings import Bindings, Values
from local_snowflake.sql.errors import SqlError, syntax_error
from local_snowflake.sql.lexer import Reader
from local_snowflake.sql.quoting import sql_identifier
from local_snowflake.sql.statements import Statement

MAX_DEPTH = 5
"""How deep procedures may call each other; as in Snowflake."""


@dataclass(frozen=True)
class Call:
    """A procedure and its arguments.

    Attributes:
        routine: The procedure.
        arguments: The arguments as they are written, in the order in which they are declared.
        bindings: The values of their `?`; None if they are not known yet.
    """

    routine: Routine
    arguments: list[Expr]
    bindings: Bindings | None


class CallProcedure:
    """CALL name(arguments)."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement calls a procedure."""
        return statement.is_call

    def run(
        self, session: RoutineContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Run the handler and return its result as one row, or the rows of its data frame.

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

    def describe(self, session: RoutineContext, statement: Statement) -> list[ColumnInfo] | None:
        """Return the columns of the result; None if only the call shows them."""
        routine = find_procedure(session, statement, None).routine
        if routine.returns is None:
            return None
        return _scalar(session, routine, None).rowtype


def _run_handler(session: RoutineContext, call: Call) -> dict[str, Any]:
    routine, environment = call.routine, session.warehouse.handlers
    with ExitStack() as stack:
        guest = stack.enter_context(session.invite_handler())
        started = environment.start(routine)
        stack.callback(started.close)
        process = started.process
        with session.handlers.track(process) as run:
            try:
                process.send(_first_message(session, call, guest.password, started.imports))
                answer = json.loads(process.receive(START_SECONDS))
                if "ready" in answer:
                    answer = json.loads(process.receive())
            except HandlerEndedError as error:
                raise handler_ended(routine, error, is_cancelled=run.is_cancelled) from error
    if "error" in answer:
        raise python_error(routine, answer["error"], environment.label)
    return dict(answer)


def _first_message(
    session: RoutineContext, call: Call, password: str, imports: tuple[str, ...]
) -> bytes:
    routine = call.routine
    host, port = session.warehouse.handlers.address
    values = evaluate_arguments(session, call)
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
                "password": password,
                "host": host,
                "port": port,
                "protocol": "http",
            },
        }
    ).encode()


def _result(session: RoutineContext, routine: Routine, answer: dict[str, Any]) -> StatementResult:
    if "query_id" not in answer:
        return _scalar(session, routine, answer["value"])
    result = session.warehouse.results.get(answer["query_id"])
    if result is None:
        raise SqlError("The rows of the procedure's result are no longer available.", 709, "02000")
    return StatementResult(result.table, result.rowtype, SELECT)


def _scalar(session: RoutineContext, routine: Routine, value: Any) -> StatementResult:
    kind = routine.returns
    if kind is None:
        raise SqlError(f"{routine.signature} has returned no table.", 100132, "P0000")
    column = sql_identifier(routine.name.name)
    return session.select(f"SELECT {kind.result_sql('$1')} AS {column}", [value])


def find_procedure(
    session: RoutineContext, statement: Statement, bindings: Bindings | None
) -> Call:
    """Find the procedure that a CALL calls.

    Args:
        session: The session of the CALL.
        statement: The CALL.
        bindings: The values of its `?`; None if it is only described.

    Raises:
        SqlError: There is no such procedure.
    """
    reader = Reader(statement.sql)
    reader.expect("CALL")
    parts = []
    while True:
        token = reader.expect_kind("word", "name")
        parts.append(token.upper or token.text)
        if not reader.accept("."):
            break
    start = reader.next.start
    reader.read_parentheses()
    reader.expect_end()
    given = _parse_arguments(statement.sql[start:])
    candidates = [
        (routine, ordered)
        for routine in session.routines.search(PROCEDURE, parts, session)
        if (ordered := order_arguments(routine, given)) is not None
    ]
    if not candidates:
        raise unknown_routine(PROCEDURE, f"{'.'.join(parts)}({', '.join('?' for _ in given)})")
    routine, ordered = candidates[0]
    if len(candidates) > 1:
        best = best_overload(
            [candidate for candidate, _ in candidates], _argument_kinds(session, given, bindings)
        )
        routine, ordered = next(pair for pair in candidates if pair[0] is best)
    return Call(routine, ordered, bindings)


def evaluate_arguments(session: RoutineContext, call: Call) -> list[Any]:
    """Compute the arguments of a call, as values for JSON.

    Raises:
        SqlError: One cannot be computed, or does not have its declared type.
    """
    if not call.arguments:
        return []
    sql, values = _translate_arguments(session, call.arguments, call.bindings)
    typed = ", ".join(a.type.argument_sql(f"a{i}") for i, a in enumerate(call.routine.arguments))
    row = session.duck.execute(f"SELECT {typed} FROM ({sql})", values).fetchone()  # noqa: S608 - translated
    return [_as_json(value) for value in row or ()]


def _parse_arguments(text: str) -> list[Expr]:
    call = parse_one(f"ARGUMENTS_OF{text}")
    if not isinstance(call, exp.Anonymous):
        raise syntax_error("CALL takes a procedure's name and its arguments in parentheses")
    return list(call.expressions)


def _argument_kinds(
    session: RoutineContext, given: list[Expr], bindings: Bindings | None
) -> list[str | None]:
    plain = [item.expression if isinstance(item, exp.Kwarg) else item for item in given]
    if not plain:
        return []
    sql, values = _translate_arguments(session, plain, bindings)
    described = session.duck.execute(f"DESCRIBE {sql}", values).fetchall()
    return [snowflake_kind(str(row[1])) for row in described]


def _translate_arguments(
    session: RoutineContext, arguments: list[Expr], bindings: Bindings | None
) -> tuple[str, Values | None]:
    """Return DuckDB's query for the arguments, and the values of its placeholders."""
    query = exp.select(*(exp.alias_(e.copy(), f"a{i}") for i, e in enumerate(arguments)))
    if bindings is None:
        for placeholder in list(query.find_all(exp.Placeholder)):
            placeholder.replace(exp.null())
    values = bindings.rows[0] if bindings else None
    values = values.copy() if values is not None else None
    translated = session.translate(query, values)
    sql = translated.sql(dialect="duckdb")
    return sql, values if translated.find(exp.Placeholder) else None


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, str | int | float | None) else str(value)

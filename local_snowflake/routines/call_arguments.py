"""What a CALL calls, and with which values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fakesnow.dialect import parse_one
from sqlglot import Expr, exp

from local_snowflake.routines.catalog import unknown
from local_snowflake.routines.definitions import PROCEDURE, Routine
from local_snowflake.routines.overloads import best_of, kind_of_duckdb, ordered_arguments
from local_snowflake.sql.bindings import Bindings, Values
from local_snowflake.sql.errors import syntax_error
from local_snowflake.sql.lexer import Reader
from local_snowflake.sql.statements import Statement

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session


@dataclass(frozen=True)
class Call:
    """A procedure and what it is called with.

    Attributes:
        routine: The procedure.
        arguments: As they were written, in the order in which they are declared.
        bindings: The values of their `?`; None: they are not known yet.
    """

    routine: Routine
    arguments: list[Expr]
    bindings: Bindings | None


def find_procedure(session: Session, statement: Statement, bindings: Bindings | None) -> Call:
    """Find what a CALL calls.

    Args:
        session: Who calls.
        statement: The CALL.
        bindings: The values of its `?`; None: it is only described.

    Raises:
        SqlError: There is no such procedure.
    """
    reader = Reader(statement.sql, Bindings())
    reader.expect("CALL")
    parts = []
    while True:
        token = reader.expect_kind("word", "name")
        parts.append(token.upper or token.text)
        if not reader.accept("."):
            break
    start = reader.next.start
    reader.parenthesised()
    reader.expect_end()
    given = _arguments(statement.sql[start:])
    candidates = [
        (routine, ordered)
        for routine in session.routines.search(PROCEDURE, parts, session)
        if (ordered := ordered_arguments(routine, given)) is not None
    ]
    if not candidates:
        raise unknown(PROCEDURE, f"{'.'.join(parts)}({', '.join('?' for _ in given)})")
    routine, ordered = candidates[0]
    if len(candidates) > 1:
        best = best_of([candidate for candidate, _ in candidates], _kinds(session, given, bindings))
        routine, ordered = next(pair for pair in candidates if pair[0] is best)
    return Call(routine, ordered, bindings)


def evaluated(session: Session, call: Call) -> list[Any]:
    """The values of a call's arguments, as JSON can hold them.

    Raises:
        SqlError: One cannot be computed, or is not of its type.
    """
    if not call.arguments:
        return []
    sql, values = _translated(session, call.arguments, call.bindings)
    typed = ", ".join(a.type.taking(f"a{i}") for i, a in enumerate(call.routine.arguments))
    row = session.duck.execute(f"SELECT {typed} FROM ({sql})", values).fetchone()  # noqa: S608 - translated
    return [_as_json(value) for value in row or ()]


def _arguments(text: str) -> list[Expr]:
    call = parse_one(f"ARGUMENTS_OF{text}")
    if not isinstance(call, exp.Anonymous):
        raise syntax_error("CALL takes a procedure's name and its arguments in parentheses")
    return list(call.expressions)


def _kinds(session: Session, given: list[Expr], bindings: Bindings | None) -> list[str | None]:
    plain = [item.expression if isinstance(item, exp.Kwarg) else item for item in given]
    if not plain:
        return []
    sql, values = _translated(session, plain, bindings)
    described = session.duck.execute(f"DESCRIBE {sql}", values).fetchall()
    return [kind_of_duckdb(str(row[1])) for row in described]


def _translated(
    session: Session, arguments: list[Expr], bindings: Bindings | None
) -> tuple[str, Values | None]:
    """DuckDB's query for the arguments, and the values of its placeholders."""
    query = exp.select(*(exp.alias_(e.copy(), f"a{i}") for i, e in enumerate(arguments)))
    if bindings is None:
        for placeholder in list(query.find_all(exp.Placeholder)):
            placeholder.replace(exp.null())
    values = bindings.rows[0] if bindings else None
    values = values.copy() if values is not None else None
    translated = session.connection.cursor().translate(query, values)
    sql = translated.sql(dialect="duckdb")
    return sql, values if translated.find(exp.Placeholder) else None


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, str | int | float | None) else str(value)

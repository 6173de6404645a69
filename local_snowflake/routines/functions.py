"""Calls of functions in Python, in any expression.

What fakesnow lacks: all of it. A call becomes one of DuckDB's functions (see
`duck_functions.py`), with its arguments cast to the declared types.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import sqlglot
from sqlglot import Expr, exp

from local_snowflake.routines.catalog import unknown_routine
from local_snowflake.routines.context import RoutineContext
from local_snowflake.routines.definitions import FUNCTION, Routine
from local_snowflake.routines.duck_functions import call_sql
from local_snowflake.routines.overloads import best_overload, order_arguments, type_condition
from local_snowflake.routines.workers import function_key
from local_snowflake.sql.names import stored_identifier

_PLAIN_NAME = re.compile(r"[A-Z_][A-Z0-9_$]*")
_MARK = "PYTHON_FUNCTIONS_OF"


def is_built_in(name: str) -> bool:
    """Whether sqlglot parses a function of that name as a built-in one."""
    if not _PLAIN_NAME.fullmatch(name):
        return False
    read = sqlglot.parse_one(f"{name}(a)", read="snowflake")
    return not isinstance(read, exp.Anonymous)


def mark_python_functions(expression: Expr, session: RoutineContext) -> Expr:
    """Mark the calls of Python functions, before other rewrites and fakesnow see them.

    Raises:
        SqlError: The number of arguments, or the name of one, is wrong.
    """
    if not session.routines:
        return expression
    for call in list(expression.find_all(exp.Anonymous)):
        node: Expr = call
        parts = [call.this.upper() if isinstance(call.this, str) else stored_identifier(call.this)]
        if isinstance(call.parent, exp.Dot) and call.parent.expression is call:
            node = call.parent
            parts = [*_path(node.this), *parts]
        named = session.routines.search(FUNCTION, parts, session)
        if not named:
            continue
        given = list(call.expressions)
        fitting = [routine for routine in named if order_arguments(routine, given) is not None]
        if not fitting:
            raise unknown_routine(FUNCTION, f"{'.'.join(parts)}({', '.join('?' for _ in given)})")
        ordered = order_arguments(fitting[0], given) or []
        fitting = [r for r in fitting if len(r.arguments) == len(ordered)]
        if len(fitting) > 1 and all(_kind(item) for item in given):
            best = best_overload(fitting, [_kind(item) for item in given])
            fitting = [best] if best else fitting
        keys = json.dumps([_key(routine, session) for routine in fitting])
        marked = exp.Anonymous(this=_MARK, expressions=[exp.Literal.string(keys), *ordered])
        if node is expression:
            return marked
        node.replace(marked)
    return expression


def call_python_functions(expression: Expr, session: RoutineContext) -> Expr:
    """Replace the marked calls by calls of DuckDB functions."""
    # From the inside out: an argument may be a marked call.
    for call in reversed(list(expression.find_all(exp.Anonymous))):
        if not isinstance(call.this, str) or call.this.upper() != _MARK:
            continue
        keys, *arguments = call.expressions
        texts = [argument.sql(dialect="duckdb") for argument in arguments]
        routines = {_key(r, session): r for r in session.routines.visible()}
        sql = _call_candidates([(key, routines[key]) for key in json.loads(keys.name)], texts)
        replacement = sqlglot.parse_one(sql, read="duckdb")
        if call is expression:
            return replacement
        call.replace(replacement)
    return expression


def _call_candidates(candidates: Sequence[tuple[str, Routine]], arguments: Sequence[str]) -> str:
    """Return DuckDB's SQL for the call of the first candidate that fits the arguments' types."""
    if len(candidates) == 1:
        key, routine = candidates[0]
        taken = [
            argument.type.argument_sql(text)
            for argument, text in zip(routine.arguments, arguments, strict=True)
        ]
        return _call(key, routine, taken)
    # VARCHAR and VARIANT accept all other types, so they come last.
    ranked = sorted(candidates, key=lambda c: [a.type.kind[:3] == "VAR" for a in c[1].arguments])
    branches = []
    for key, routine in ranked:
        taken = [
            # Through a string: DuckDB binds all branches, also those of other types.
            argument.type.argument_sql(text)
            if argument.type.is_semi_structured
            else f"TRY_CAST(CAST({text} AS VARCHAR) AS {argument.type.duckdb})"
            for argument, text in zip(routine.arguments, arguments, strict=True)
        ]
        branches.append((type_condition(routine, arguments), _call(key, routine, taken)))
    whens = " ".join(f"WHEN {condition} THEN {call}" for condition, call in branches[:-1])
    return f"CASE {whens} ELSE {branches[-1][1]} END"


def _call(key: str, routine: Routine, arguments: Sequence[str]) -> str:
    call = call_sql(routine, key, arguments)
    if routine.returns is not None:
        call = routine.returns.result_sql(call)
    if routine.strict and arguments:
        missing = " OR ".join(f"{argument} IS NULL" for argument in arguments)
        return f"CASE WHEN {missing} THEN NULL ELSE {call} END"
    return call


def _key(routine: Routine, session: RoutineContext) -> str:
    is_temporary = session.routines.temporary.get(routine.signature) is routine
    return function_key(routine, session.number if is_temporary else None)


def _path(node: Expr) -> list[str]:
    if isinstance(node, exp.Dot):
        return [*_path(node.this), *_path(node.expression)]
    return [stored_identifier(node)] if isinstance(node, exp.Identifier) else [node.name.upper()]


def _kind(argument: Expr) -> str | None:
    """Return the kind of an argument's type, if its text shows it."""
    if isinstance(argument, exp.Literal):
        return "VARCHAR" if argument.is_string else "NUMBER"
    if isinstance(argument, exp.Boolean):
        return "BOOLEAN"
    return None

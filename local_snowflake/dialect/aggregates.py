"""SUM, AVG and the like over numbers.

What fakesnow lacks: it casts every argument to DOUBLE, so that the sum of integers is a float and
that of long numbers is wrong in its last digits. Here only strings are cast, as in Snowflake: a
statement is first run without the casts, and with them when DuckDB refuses it.
"""

from __future__ import annotations

import re

from fakesnow.transforms.transforms import _NUMERIC_ONLY_AGGS as NUMERIC_AGGREGATES
from sqlglot import Expr, exp

from local_snowflake.engine.context import Retry, StatementContext

_MARK = "argument_without_cast"
_OVER_TEXT = re.compile(r"No function matches .*\(VARCHAR(?:, \w+)*\)'", re.DOTALL)


def mark_aggregates(expression: Expr, session: StatementContext) -> Expr:
    """Mark the aggregates whose argument has no cast, before fakesnow adds one."""
    if session.retry is not CAST_AGGREGATES:
        for aggregate in expression.find_all(*NUMERIC_AGGREGATES):
            if not isinstance(aggregate.this, exp.Cast):
                aggregate.meta[_MARK] = True
    return expression


def uncast_aggregates(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Remove the casts that fakesnow has added to marked aggregates."""
    for aggregate in expression.find_all(*NUMERIC_AGGREGATES):
        if aggregate.meta.get(_MARK) and isinstance(aggregate.this, exp.TryCast):
            aggregate.set("this", aggregate.this.this)
    return expression


def _has_uncast_aggregates(expression: Expr) -> bool:
    return any(a.meta.get(_MARK) for a in expression.find_all(*NUMERIC_AGGREGATES))


def _is_aggregate_over_text(error: Exception) -> bool:
    return bool(_OVER_TEXT.search(str(error)))


CAST_AGGREGATES = Retry(_has_uncast_aggregates, _is_aggregate_over_text)
"""Translates a statement again, and leaves fakesnow's casts where they are."""

"""SUM, AVG and the like over numbers.

What upstream lacks: it casts every argument to DOUBLE, so that the sum of integers is a float and
that of long numbers wrong in its last digits. Here only texts are cast, as Snowflake does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fakesnow.transforms.transforms import _NUMERIC_ONLY_AGGS as NUMERIC_AGGREGATES
from sqlglot import Expr, exp

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session

_MARK = "argument_as_it_is"
_OVER_TEXT = re.compile(r"No function matches .*\(VARCHAR(?:, \w+)*\)'", re.DOTALL)


def mark_aggregates(expression: Expr, session: Session) -> Expr:
    """Remember which arguments have no cast yet, before upstream adds one."""
    if not session.cast_aggregates:
        for aggregate in expression.find_all(*NUMERIC_AGGREGATES):
            if not isinstance(aggregate.this, exp.Cast):
                aggregate.meta[_MARK] = True
    return expression


def uncast_aggregates(expression: Expr, session: Session) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Take upstream's casts away again."""
    for aggregate in expression.find_all(*NUMERIC_AGGREGATES):
        if aggregate.meta.get(_MARK) and isinstance(aggregate.this, exp.TryCast):
            aggregate.set("this", aggregate.this.this)
    return expression


def has_uncast_aggregates(expression: Expr) -> bool:
    """Whether DuckDB may refuse the statement because an aggregate is over text."""
    return any(a.meta.get(_MARK) for a in expression.find_all(*NUMERIC_AGGREGATES))


def is_over_text(error: Exception) -> bool:
    """Whether DuckDB refused a statement for that reason."""
    return bool(_OVER_TEXT.search(str(error)))

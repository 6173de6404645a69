"""DATEADD and DATE_TRUNC of a DATE give a DATE.

What upstream lacks: DuckDB gives a timestamp; upstream casts it back for a constant only. What a
column is shows when DuckDB binds the statement: the macro `keep_date` has a form for dates. See
https://docs.snowflake.com/en/sql-reference/functions/dateadd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from local_snowflake.inspection.information_schema import macro_call

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session

_WHOLE_DAYS = {"DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}


def keep_dates(expression: Expr, session: Session) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Let the result have the type of the argument when both are whole days."""
    for node in list(expression.find_all(exp.DateAdd, exp.DateTrunc, exp.TimestampTrunc)):
        unit = node.args.get("unit")
        if (
            unit is None
            or unit.name.upper() not in _WHOLE_DAYS
            or isinstance(node.parent, exp.Cast)
        ):
            continue
        kept = macro_call("keep_date", node.this.copy(), node.copy())
        if node is expression:
            return kept
        node.replace(kept)
    return expression

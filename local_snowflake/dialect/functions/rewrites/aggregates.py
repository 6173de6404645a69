"""SUM, AVG and the like over numbers; LISTAGG, ARRAY_AGG and RATIO_TO_REPORT.

What fakesnow lacks: it casts every argument to DOUBLE, so that the sum of integers is a float and
that of long numbers is wrong in its last digits. Here only strings are cast, as in Snowflake: a
statement is first run without the casts, and with them when DuckDB refuses it.
"""

from __future__ import annotations

import re

from fakesnow.transforms.transforms import _NUMERIC_ONLY_AGGS as NUMERIC_AGGREGATES
from sqlglot import Expr, exp

from local_snowflake.engine.context import Retry, StatementContext
from local_snowflake.sql.trees import replace_node

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


def join_without_separator(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make LISTAGG join without a separator by default, and give an empty text for no rows.

    DuckDB's has a comma, and NULL. See
    https://docs.snowflake.com/en/sql-reference/functions/listagg.
    """
    for node in reversed(list(expression.find_all(exp.GroupConcat))):
        if not node.args.get("separator"):
            node.set("separator", exp.Literal.string(""))
        whole: Expr = node
        while isinstance(whole.parent, exp.WithinGroup | exp.Window) and whole.arg_key == "this":
            whole = whole.parent
        filled = exp.Coalesce(this=whole.copy(), expressions=[exp.Literal.string("")])
        expression = replace_node(expression, whole, filled)
    return expression


def gather_without_nulls(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make ARRAY_AGG leave out NULLs, and give an empty array for no rows.

    fakesnow loses the first in WITHIN GROUP. See
    https://docs.snowflake.com/en/sql-reference/functions/array_agg.
    """
    for node in reversed(list(expression.find_all(exp.ArrayAgg))):
        node.set("nulls_excluded", True)
        whole: Expr = node
        if isinstance(whole.parent, exp.Window):
            whole = whole.parent
        as_json = whole.parent
        if isinstance(as_json, exp.Anonymous) and as_json.name.upper() == "TO_JSON":
            empty = exp.func("to_json", exp.Array(expressions=[]))
            filled = exp.Coalesce(this=as_json.copy(), expressions=[empty])
            expression = replace_node(expression, as_json, filled)
    return expression


def divide_by_sum(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make RATIO_TO_REPORT a division by the sum over the window."""
    for node in reversed(list(expression.find_all(exp.Window))):
        call = node.this
        if isinstance(call, exp.Anonymous) and call.name.upper() == "RATIO_TO_REPORT":
            value = call.expressions[0]
            over = node.copy()
            over.set("this", exp.Sum(this=value.copy()))
            zero = exp.Literal.number(0)
            ratio = exp.Div(
                this=exp.cast(value.copy(), exp.DataType.Type.DOUBLE),
                expression=exp.Nullif(this=over, expression=zero),
            )
            expression = replace_node(expression, node, exp.paren(ratio))
    return expression

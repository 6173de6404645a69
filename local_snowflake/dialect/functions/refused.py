"""The table of calls that are refused, with the reason: the result would be wrong without an error.

fakesnow passes calls of functions to DuckDB that it has with another meaning.
"""

from __future__ import annotations

from sqlglot import Expr, exp

from local_snowflake.dialect.functions.rows import Refused, is_call
from local_snowflake.sql.errors import unsupported

REFUSED = (
    Refused(
        "APPROX_TOP_K",
        exp.ApproxTopK,
        "DuckDB's returns the values without their counts; use COUNT with GROUP BY",
    ),
    Refused(
        "COUNT(table.*)",
        exp.Count,
        "DuckDB's counts every row, Snowflake's those without a NULL; use COUNT(*)",
        lambda node: isinstance(node.this, exp.Column) and isinstance(node.this.this, exp.Star),
    ),
    Refused(
        "HASH_AGG(DISTINCT value)",
        exp.HashAgg,
        "it is not translated; use HASH_AGG over a SELECT DISTINCT",
        lambda node: isinstance(node.this, exp.Distinct),
    ),
    Refused(
        "Time Travel (AT, BEFORE)",
        exp.HistoricalData,
        "tables have no history",
    ),
)


def refuse_calls(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Refuse the calls that the table is about.

    Raises:
        SqlError: The statement contains one.
    """
    for node in expression.find_all(*_NODES):
        for row in REFUSED:
            if is_call(node, row):
                raise unsupported(row.call, row.because)
    return expression


_NODES = tuple({row.node if isinstance(row.node, type) else exp.Anonymous for row in REFUSED})

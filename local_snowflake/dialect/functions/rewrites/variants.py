"""VARIANTs: their order, and texts that are parsed into them.

What fakesnow lacks: a VARIANT is JSON, which DuckDB compares as a text: 10 is before 9.
"""

from __future__ import annotations

from sqlglot import Expr, exp

from local_snowflake.sql.macros import macro_call
from local_snowflake.sql.trees import replace_node

JSON_PARTS = (exp.JSONExtract, exp.Bracket, exp.GetExtract)
"""How `v:name`, `v[0]` and GET are parsed: what is known to be a VARIANT."""
_ORDERINGS = (exp.GT, exp.GTE, exp.LT, exp.LTE)


def order_variants(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make `<`, ORDER BY, MIN and MAX compare numbers in VARIANTs as numbers."""
    for comparison in expression.find_all(*_ORDERINGS):
        sides = (comparison.this, comparison.expression)
        if all(isinstance(side, JSON_PARTS) for side in sides):
            for side in sides:
                side.replace(_place(side))
    for node in reversed(list(expression.find_all(exp.Ordered, exp.Max, exp.Min))):
        part = node.this
        if not isinstance(part, JSON_PARTS):
            continue
        if isinstance(node, exp.Ordered):
            if not _is_distinct(node):
                node.set("this", _place(part))
        else:
            by = exp.ArgMax if isinstance(node, exp.Max) else exp.ArgMin
            chosen = by(this=part.copy(), expression=_place(part))
            expression = replace_node(expression, node, chosen)
    return expression


def parse_json_in_variants(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make PARSE_JSON and TRY_PARSE_JSON parse strings and VARIANTs that hold a string.

    COPY stores the strings of a parquet file in such VARIANTs; DuckDB leaves a JSON value as it is.
    See https://docs.snowflake.com/en/sql-reference/functions/parse_json.
    """
    for node in list(expression.find_all(exp.ParseJSON)):
        name = "try_json_text" if node.args.get("safe") else "read_json_text"
        expression = replace_node(expression, node, macro_call(name, node.this.copy()))
    return expression


def _place(part: Expr) -> Expr:
    return macro_call("variant_order", part.copy())


def _is_distinct(ordered: Expr) -> bool:
    """Whether DuckDB wants to find what is ordered by among the columns of the result."""
    query = ordered.find_ancestor(exp.Query)
    return isinstance(query, exp.SetOperation) or bool(query and query.args.get("distinct"))

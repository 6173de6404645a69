"""Snowflake's names for result columns without an alias.

What upstream lacks: such a column gets the name that DuckDB gives to the translated expression:
`count_star()` for COUNT(*), a page of text for a function that is translated into a CASE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import Expr, exp

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session


def name_columns(expression: Expr, session: Session) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Give each unnamed column of a query its own text in upper case as its name."""
    select = expression
    while isinstance(select, exp.SetOperation):
        select = select.this
    if isinstance(select, exp.Select) and expression.parent is None:
        select.set("expressions", [_named(item) for item in select.expressions])
    return expression


def _named(item: Expr) -> Expr:
    if isinstance(item, exp.Alias | exp.Column | exp.Star | exp.Aliases) or item.is_star:
        return item
    if isinstance(item, exp.Subquery | exp.Window) and item.alias:
        return item
    return exp.alias_(item, item.sql(dialect="snowflake").upper(), quoted=True, copy=False)

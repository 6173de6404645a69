"""Identifiers that are words of DuckDB's language.

What upstream lacks: it writes `at`, `end` or `desc` as they came, valid names in Snowflake and
keywords in DuckDB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import Expr, exp

if TYPE_CHECKING:
    from local_snowflake.sessions import Session


def quote_identifiers(expression: Expr, session: Session) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Quote every identifier: upstream has brought them to the case in which they are stored."""
    for identifier in expression.find_all(exp.Identifier):
        identifier.set("quoted", True)
    return expression

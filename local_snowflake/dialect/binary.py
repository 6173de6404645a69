"""Casts of text to BINARY.

What upstream lacks: DuckDB takes the characters, Snowflake reads them as hexadecimal digits. See
https://docs.snowflake.com/en/sql-reference/data-type-conversion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from local_snowflake.inspection.information_schema import macro_call

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session

_BINARY = {exp.DataType.Type.BINARY, exp.DataType.Type.VARBINARY}


def read_hexadecimal(expression: Expr, session: Session) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Let `text::BINARY` mean TO_BINARY(text, 'HEX'); what is binary stays as it is."""
    for cast in list(expression.find_all(exp.Cast)):
        if cast.to.this not in _BINARY:
            continue
        read = macro_call("as_binary", cast.this.copy())
        if cast is expression:
            return read
        cast.replace(read)
    return expression

"""Casts of text to BINARY.

What upstream lacks: DuckDB takes the characters, Snowflake reads them as hexadecimal digits. See
https://docs.snowflake.com/en/sql-reference/data-type-conversion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import Expr, exp

if TYPE_CHECKING:
    from local_snowflake.sessions import Session

_BINARY = {exp.DataType.Type.BINARY, exp.DataType.Type.VARBINARY}


def read_hexadecimal(expression: Expr, session: Session) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Let `text::BINARY` mean TO_BINARY(text, 'HEX'); what is binary stays as it is."""
    for cast in list(expression.find_all(exp.Cast)):
        if cast.to.this not in _BINARY:
            continue
        text = exp.cast(cast.this.copy(), exp.DataType.Type.VARCHAR)
        read = exp.case().when(
            exp.EQ(
                this=exp.Anonymous(this="typeof", expressions=[cast.this.copy()]),
                expression=exp.Literal.string("BLOB"),
            ),
            exp.Cast(this=cast.this.copy(), to=exp.DataType.build("BLOB", dialect="duckdb")),
        )
        replacement = read.else_(exp.Anonymous(this="from_hex", expressions=[text]))
        if cast is expression:
            return replacement
        cast.replace(replacement)
    return expression

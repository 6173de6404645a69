"""LTRIM, RTRIM, TRIM of characters, and TRY_TO_TIMESTAMP.

What upstream lacks: it casts the argument of these to text and forgets the side and the characters,
so that LTRIM('0a', '0') is '0a'; and it makes a plain cast of a cast that may fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import Expr, exp

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session

_TIMESTAMPS = {exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ}


def keep_trim_and_try(expression: Expr, session: Session) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Write both so that upstream leaves them as they are."""
    for trim in expression.find_all(exp.Trim):
        if not isinstance(trim.this, exp.Cast):
            trim.set("this", exp.cast(trim.this.copy(), exp.DataType.Type.VARCHAR))
    for cast in list(expression.find_all(exp.TryCast)):
        if cast.to.this in _TIMESTAMPS:
            plain = exp.Cast(this=cast.this.copy(), to=cast.to.copy())
            attempt = exp.Anonymous(this="TRY", expressions=[plain])
            if cast is expression:
                return attempt
            cast.replace(attempt)
    return expression

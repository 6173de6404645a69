"""PARSE_JSON of a VARIANT.

What upstream lacks: a VARIANT that is a text, as COPY makes it of a parquet file's text, has to be
read once more; DuckDB leaves a JSON value as it is. See
https://docs.snowflake.com/en/sql-reference/functions/parse_json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from local_snowflake.inspection.information_schema import macro_call

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session


def read_text_in_variants(expression: Expr, session: Session) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Let PARSE_JSON and TRY_PARSE_JSON read texts and VARIANTs that are texts."""
    for node in list(expression.find_all(exp.ParseJSON)):
        name = "try_json_text" if node.args.get("safe") else "read_json_text"
        read = macro_call(name, node.this.copy())
        if node is expression:
            return read
        node.replace(read)
    return expression

"""Texts that become binary values: TO_BINARY, and casts to BINARY."""

from __future__ import annotations

from sqlglot import Expr, exp

from local_snowflake.sql.errors import unsupported
from local_snowflake.sql.macros import macro_call
from local_snowflake.sql.trees import replace_node

_BINARY = {exp.DataType.Type.BINARY, exp.DataType.Type.VARBINARY}
_BINARY_FORMATS = {"HEX": "from_hex", "BASE64": "from_base64", "UTF-8": "encode", "UTF8": "encode"}


def cast_text_to_binary(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make `text::BINARY` read hexadecimal digits, as in Snowflake: DuckDB takes the characters.

    See https://docs.snowflake.com/en/sql-reference/data-type-conversion.
    """
    for cast in list(expression.find_all(exp.Cast)):
        if cast.to.this in _BINARY:
            expression = replace_node(expression, cast, macro_call("as_binary", cast.this.copy()))
    return expression


def read_binary(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make TO_BINARY read its format, HEX by default; TRY_TO_BINARY returns NULL on failure.

    Raises:
        SqlError: A format that is not known, or not constant.
    """
    for node in reversed(list(expression.find_all(exp.ToBinary))):
        written = node.args.get("format") or exp.Literal.string("HEX")
        name = written.name.upper()
        if not isinstance(written, exp.Literal) or name not in _BINARY_FORMATS:
            raise unsupported(f"TO_BINARY with the format {written.sql('snowflake')}")
        read: Expr = exp.Anonymous(this=_BINARY_FORMATS[name], expressions=[node.this.copy()])
        if node.args.get("safe"):
            read = exp.Anonymous(this="TRY", expressions=[read])
        expression = replace_node(expression, node, read)
    return expression

"""FLATTEN with its options.

What fakesnow lacks: it ignores OUTER, PATH, RECURSIVE and MODE.
See https://docs.snowflake.com/en/sql-reference/functions/flatten.
"""

from __future__ import annotations

from sqlglot import Expr, exp

from local_snowflake.sql.errors import unsupported
from local_snowflake.sql.macros import macro_call
from local_snowflake.sql.trees import replace_node


def flatten_with_options(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Flatten the value at PATH, with a row of NULLs for nothing if OUTER.

    Raises:
        SqlError: RECURSIVE or MODE would change the rows.
    """
    for node in list(expression.find_all(exp.Lateral, exp.TableFromRows)):
        call = node.this
        if not isinstance(call, exp.Explode):
            continue
        options = _options(call)
        value = options["INPUT"]
        if options.get("RECURSIVE", exp.false()).sql().upper() != "FALSE":
            raise unsupported("FLATTEN with RECURSIVE => TRUE")
        if options.get("MODE", exp.Literal.string("BOTH")).name.upper() != "BOTH":
            raise unsupported("FLATTEN with a MODE")
        if "PATH" in options:
            value = exp.func("get_path", value, options["PATH"], dialect="snowflake")
        rows = macro_call("flatten_rows", value, options.get("OUTER", exp.false()))
        table = exp.Table(this=rows, alias=node.args.get("alias"))
        expression = replace_node(expression, node, table)
    return expression


def _options(call: exp.Explode) -> dict[str, Expr]:
    arguments = [call.this, *call.expressions]
    return {
        a.this.name.upper() if isinstance(a, exp.Kwarg) else "INPUT": (
            a.expression if isinstance(a, exp.Kwarg) else a
        ).copy()
        for a in arguments
    }

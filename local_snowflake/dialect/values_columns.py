"""The columns of VALUES: `$1` and COLUMN1.

What upstream lacks: DuckDB takes `$1` for a bind variable, and calls the columns of VALUES with an
alias `col0`, `col1`. See https://docs.snowflake.com/en/sql-reference/constructs/values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import Expr, exp

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session


def name_values_columns(expression: Expr, session: Session) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Call the columns of VALUES COLUMN1, COLUMN2, … and let `$1` mean the first of them."""
    for values in expression.find_all(exp.Values):
        alias = values.args.get("alias")
        first = values.expressions[0] if values.expressions else None
        if alias is not None and not alias.args.get("columns") and isinstance(first, exp.Tuple):
            names = [exp.to_identifier(f"COLUMN{i + 1}") for i in range(len(first.expressions))]
            alias.set("columns", names)
    for parameter in list(expression.find_all(exp.Parameter)):
        number = parameter.this
        select = parameter.find_ancestor(exp.Select)
        source = select.args.get("from_") if select else None
        if (
            source is None
            or not isinstance(source.this, exp.Values)
            or not isinstance(number, exp.Literal)
            or number.is_string
        ):
            continue
        name = exp.to_identifier(f"COLUMN{number.name}")
        # `$1` is a parameter of its own, `t.$1` a column whose name is one.
        parameter.replace(
            name if isinstance(parameter.parent, exp.Column) else exp.Column(this=name)
        )
    return expression

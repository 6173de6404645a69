"""The names of columns that a query gives none: result columns without an alias, those of VALUES.

What fakesnow lacks: a result column without an alias gets the name that DuckDB gives to the
translated expression: `count_star()` for COUNT(*), a page of text for a function that is translated
into a CASE. And DuckDB takes the `$1` of VALUES for a bind variable, and names the columns of
VALUES with an alias `col0`, `col1`. See https://docs.snowflake.com/en/sql-reference/constructs/values.
"""

from __future__ import annotations

from sqlglot import Expr, exp


def name_result_columns(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Name each result column without an alias after its own text in upper case."""
    select = expression
    while isinstance(select, exp.SetOperation):
        select = select.this
    if isinstance(select, exp.Select) and expression.parent is None:
        select.set("expressions", [_with_name(item) for item in select.expressions])
    return expression


def _with_name(item: Expr) -> Expr:
    if isinstance(item, exp.Alias | exp.Column | exp.Star | exp.Aliases) or item.is_star:
        return item
    if isinstance(item, exp.Subquery | exp.Window) and item.alias:
        return item
    return exp.alias_(item, item.sql(dialect="snowflake").upper(), quoted=True, copy=False)


def name_values_columns(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Name the columns of VALUES COLUMN1, COLUMN2, …; `$1` then means the first of them."""
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

"""Casts of floats to integers, which Snowflake rounds in another way than DuckDB."""

from __future__ import annotations

from sqlglot import Expr, exp

from local_snowflake.sql.trees import replace_node

_WHOLE = {*exp.DataType.INTEGER_TYPES, *exp.DataType.NUMERIC_TYPES} - {
    *exp.DataType.FLOAT_TYPES,
    exp.DataType.Type.DECFLOAT,
}


def round_floats(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make casts of floats to integers round a half away from zero: DuckDB rounds it to even."""
    for cast in reversed(list(expression.find_all(exp.Cast))):
        if not _is_to_whole(cast) or not _may_be_float(cast.this):
            continue
        whole = cast.copy()
        as_float = exp.TryCast(this=cast.this.copy(), to=exp.DataType.build("double"))
        whole.set("this", exp.func("round", as_float))
        kind = exp.Anonymous(this="typeof", expressions=[cast.this.copy()])
        is_float = exp.EQ(this=kind, expression=exp.Literal.string("DOUBLE"))
        rounded = exp.Case(ifs=[exp.If(this=is_float, true=whole)], default=cast.copy())
        expression = replace_node(expression, cast, rounded)
    return expression


def _is_to_whole(cast: exp.Cast) -> bool:
    scale = cast.to.expressions[1].name if len(cast.to.expressions) > 1 else "0"
    return cast.to.this in _WHOLE and scale == "0"


def _may_be_float(value: Expr) -> bool:
    match value:
        case exp.Paren() | exp.Neg():
            return _may_be_float(value.this)
        case exp.Cast():
            return value.to.this in exp.DataType.FLOAT_TYPES
        case exp.Literal() | exp.Boolean() | exp.Null() | exp.Count() | exp.Predicate():
            return False
        case exp.JSONExtract() | exp.JSONExtractScalar() | exp.GetExtract() | exp.Bracket():
            return False
        case exp.Extract() | exp.DateDiff() | exp.Floor():
            return False
    return value.find(exp.Placeholder) is None

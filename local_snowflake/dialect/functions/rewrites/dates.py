"""Functions of dates and times whose result fakesnow gets wrong."""

from __future__ import annotations

from sqlglot import Expr, exp

from local_snowflake.sql.errors import unsupported
from local_snowflake.sql.macros import macro_call
from local_snowflake.sql.trees import replace_node

_TIMESTAMPS = {exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ}
_WHOLE_DAYS = {"DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}
_FAKESNOWS_MACRO = "_fs_to_timestamp"


def keep_try_to_timestamp(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make TRY_TO_TIMESTAMP return NULL on failure: fakesnow turns it into a cast that raises."""
    for cast in list(expression.find_all(exp.TryCast)):
        if cast.to.this in _TIMESTAMPS:
            plain = exp.Cast(this=cast.this.copy(), to=cast.to.copy())
            attempt = exp.Anonymous(this="TRY", expressions=[plain])
            expression = replace_node(expression, cast, attempt)
    return expression


def keep_dates(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make whole days added to a DATE, and DATE_TRUNC of one, a DATE: DuckDB's is a timestamp.

    fakesnow casts it back for constants only. See
    https://docs.snowflake.com/en/sql-reference/functions/dateadd.
    """
    of_dates = (exp.DateAdd, exp.DateTrunc, exp.TimestampTrunc, exp.AddMonths, exp.Add, exp.Sub)
    for node in list(expression.find_all(*of_dates)):
        if not _is_in_whole_days(node) or isinstance(node.parent, exp.Cast):
            continue
        kept = macro_call("keep_date", node.this.copy(), node.copy())
        expression = replace_node(expression, node, kept)
    return expression


def _is_in_whole_days(node: Expr) -> bool:
    if isinstance(node, exp.AddMonths):
        return True
    if isinstance(node, exp.Add | exp.Sub):
        if not isinstance(node.expression, exp.Interval):
            return False
        node = node.expression
    unit = node.args.get("unit")
    return unit is not None and unit.name.upper().removesuffix("S") in _WHOLE_DAYS


def slice_from_1970(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make the slices of TIME_SLICE start at 1970-01-01: DuckDB's start at 2000-01-03.

    See https://docs.snowflake.com/en/sql-reference/functions/time_slice.

    Raises:
        SqlError: Slices of several weeks, whose start depends on a parameter in Snowflake.
    """
    for node in reversed(list(expression.find_all(exp.TimeSlice))):
        length, unit = node.expression, exp.var(node.args["unit"].name.upper())
        if unit.name == "WEEK":
            if length.sql() != "1":
                raise unsupported("TIME_SLICE of several weeks")
            continue
        start: Expr = exp.func(
            "time_bucket",
            exp.Interval(this=length.copy(), unit=unit),
            node.this.copy(),
            exp.cast(exp.Literal.string("1970-01-01"), exp.DataType.Type.DATE),
        )
        if node.args.get("kind") and node.args["kind"].name.upper() == "END":
            start = exp.Add(this=start, expression=exp.Interval(this=length.copy(), unit=unit))
        expression = replace_node(expression, node, exp.paren(start))
    return expression


def read_seconds_in_texts(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Read a text of digits as seconds, milli-, micro- or nanoseconds, by its size.

    fakesnow takes all for seconds. See
    https://docs.snowflake.com/en/sql-reference/functions/to_timestamp.
    """
    for node in reversed(list(expression.find_all(exp.Anonymous))):
        if node.name == _FAKESNOWS_MACRO and node.expressions[1].name == "0":
            read = macro_call("read_timestamp", node.expressions[0].copy(), node.copy())
            expression = replace_node(expression, node, read)
    return expression

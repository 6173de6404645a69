"""Functions and casts whose result fakesnow gets wrong.

Each rewrite says what is wrong. Where the right result depends on the type of an argument, which
only DuckDB knows when it binds the statement, the call becomes a macro of `functions.sql`.
"""

from __future__ import annotations

from importlib.resources import files

from sqlglot import Expr, exp

from local_snowflake.engine.context import WarehouseAccess
from local_snowflake.sql.macros import macro_call

_BINARY = {exp.DataType.Type.BINARY, exp.DataType.Type.VARBINARY}
_TIMESTAMPS = {exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ}
_WHOLE_DAYS = {"DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}


def create_function_macros(warehouse: WarehouseAccess) -> None:
    """Create the macros of `functions.sql`, once per process."""
    with warehouse.connect() as duck:
        duck.execute(files(__package__).joinpath("functions.sql").read_text())


def cast_text_to_binary(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make `text::BINARY` read hexadecimal digits, as in Snowflake: DuckDB takes the characters.

    See https://docs.snowflake.com/en/sql-reference/data-type-conversion.
    """
    for cast in list(expression.find_all(exp.Cast)):
        if cast.to.this in _BINARY:
            expression = _replace(expression, cast, macro_call("as_binary", cast.this.copy()))
    return expression


def keep_trim_characters(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Keep the side and the characters of LTRIM, RTRIM and TRIM: LTRIM('0a', '0') is 'a'.

    fakesnow loses both when it casts the argument to text, so it is cast here already.
    """
    for trim in expression.find_all(exp.Trim):
        if not isinstance(trim.this, exp.Cast):
            trim.set("this", exp.cast(trim.this.copy(), exp.DataType.Type.VARCHAR))
    return expression


def keep_try_to_timestamp(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make TRY_TO_TIMESTAMP return NULL on failure: fakesnow turns it into a cast that raises."""
    for cast in list(expression.find_all(exp.TryCast)):
        if cast.to.this in _TIMESTAMPS:
            plain = exp.Cast(this=cast.this.copy(), to=cast.to.copy())
            attempt = exp.Anonymous(this="TRY", expressions=[plain])
            expression = _replace(expression, cast, attempt)
    return expression


def keep_dates(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make DATEADD and DATE_TRUNC of a DATE return a DATE: DuckDB returns a timestamp.

    fakesnow casts it back for constants only. See
    https://docs.snowflake.com/en/sql-reference/functions/dateadd.
    """
    for node in list(expression.find_all(exp.DateAdd, exp.DateTrunc, exp.TimestampTrunc)):
        unit = node.args.get("unit")
        if (
            unit is None
            or unit.name.upper() not in _WHOLE_DAYS
            or isinstance(node.parent, exp.Cast)
        ):
            continue
        kept = macro_call("keep_date", node.this.copy(), node.copy())
        expression = _replace(expression, node, kept)
    return expression


def parse_json_in_variants(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make PARSE_JSON and TRY_PARSE_JSON parse strings and VARIANTs that hold a string.

    COPY stores the strings of a parquet file in such VARIANTs; DuckDB leaves a JSON value as it is.
    See https://docs.snowflake.com/en/sql-reference/functions/parse_json.
    """
    for node in list(expression.find_all(exp.ParseJSON)):
        name = "try_json_text" if node.args.get("safe") else "read_json_text"
        expression = _replace(expression, node, macro_call(name, node.this.copy()))
    return expression


def _replace(expression: Expr, node: Expr, replacement: Expr) -> Expr:
    """Replace a node of a tree and return the tree, which may be the node itself."""
    if node is expression:
        return replacement
    node.replace(replacement)
    return expression

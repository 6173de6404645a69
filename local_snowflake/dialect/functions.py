"""Functions and casts whose result fakesnow gets wrong.

Each rewrite says what is wrong. Where the right result depends on the type of an argument, which
only DuckDB knows when it binds the statement, the call becomes a macro of `functions.sql`.
"""

from __future__ import annotations

from importlib.resources import files

from sqlglot import Expr, exp

from local_snowflake.engine.context import WarehouseAccess
from local_snowflake.sql.errors import unsupported
from local_snowflake.sql.macros import macro_call
from local_snowflake.sql.trees import replace_node

_BINARY = {exp.DataType.Type.BINARY, exp.DataType.Type.VARBINARY}
_BINARY_FORMATS = {"HEX": "from_hex", "BASE64": "from_base64", "UTF-8": "encode", "UTF8": "encode"}
_WHOLE = {*exp.DataType.INTEGER_TYPES, *exp.DataType.NUMERIC_TYPES} - {
    *exp.DataType.FLOAT_TYPES,
    exp.DataType.Type.DECFLOAT,
}


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


def keep_trim_characters(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Keep the side and the characters of LTRIM, RTRIM and TRIM: LTRIM('0a', '0') is 'a'.

    fakesnow loses both when it casts the argument to text, so it is cast here already.
    """
    for trim in expression.find_all(exp.Trim):
        if not isinstance(trim.this, exp.Cast):
            trim.set("this", exp.cast(trim.this.copy(), exp.DataType.Type.VARCHAR))
    return expression


def parse_json_in_variants(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make PARSE_JSON and TRY_PARSE_JSON parse strings and VARIANTs that hold a string.

    COPY stores the strings of a parquet file in such VARIANTs; DuckDB leaves a JSON value as it is.
    See https://docs.snowflake.com/en/sql-reference/functions/parse_json.
    """
    for node in list(expression.find_all(exp.ParseJSON)):
        name = "try_json_text" if node.args.get("safe") else "read_json_text"
        expression = replace_node(expression, node, macro_call(name, node.this.copy()))
    return expression

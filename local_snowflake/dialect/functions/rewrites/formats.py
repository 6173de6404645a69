"""TO_CHAR and TO_VARCHAR with a format, and CONVERT_TIMEZONE with two arguments.

What fakesnow lacks: it applies a format only if it is one constant and the statement alone shows
that the value is a date or a time; it misreads `dd` and `dy` in lower case; and CONVERT_TIMEZONE
treats a timestamp without a zone as one in the target zone, not in the session's.

See https://docs.snowflake.com/en/sql-reference/functions-conversion#date-and-time-formats-in-conversion-functions
"""

from __future__ import annotations

import re

from sqlglot import Expr, exp
from sqlglot.dialects.snowflake import Snowflake

from local_snowflake.sql.errors import unsupported
from local_snowflake.sql.macros import macro_call
from local_snowflake.sql.trees import replace_node

# Snowflake's elements and DuckDB's specifiers; a longer element comes before its own prefix.
_ELEMENTS = {
    "YYYY": "%Y",
    "YY": "%y",
    "MMMM": "%B",
    "MON": "%b",
    "MM": "%m",
    "MI": "%M",
    "DD": "%d",
    "DY": "%a",
    "HH24": "%H",
    "HH12": "%I",
    "SS": "%S",
    "FF3": "%g",
    "FF6": "%f",
    "FF9": "%n",
    "FF0": "",
    "FF": "%n",
    "AM": "%p",
    "PM": "%p",
    "T": "T",
    "UTC": "UTC",
}
_WITH_FORMAT = (exp.ToChar, exp.TimeToStr, exp.TsOrDsToDate, exp.TsOrDsToTime, exp.StrToTime)
_PIECE = re.compile(
    rf'"(?P<quoted>[^"]*)"|(?P<element>{"|".join(_ELEMENTS)})(?!\d)|(?P<other>[^A-Za-z"])',
    re.IGNORECASE,
)


def fold_formats(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Fold a format that is concatenated from constants, `'HH24:MI' || 'UTC'`, into one."""
    for node in expression.find_all(*_WITH_FORMAT):
        written = node.args.get("format")
        text = None if written is None or written.is_string else _constant_text(written)
        if text is None:
            continue
        literal = exp.Literal.string(text)
        # Except for ToChar, sqlglot's parser turns constant formats into Python's form.
        node.set(
            "format",
            literal if isinstance(node, exp.ToChar) else Snowflake.format_time(literal),
        )
    return expression


def apply_formats(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Apply the format for any type of value, which DuckDB knows when it binds the statement.

    Raises:
        SqlError: The format is not a constant, or has an unsupported element.
    """
    for node in list(expression.find_all(exp.ToChar, exp.TimeToStr)):
        if not node.args.get("format"):
            continue
        pattern = strftime_pattern(_written_format(node))
        if pattern is None or isinstance(node.this, exp.Null):
            changed: Expr = exp.cast(node.this.copy(), exp.DataType.Type.VARCHAR)
        else:
            changed = macro_call("formatted", node.this.copy(), exp.Literal.string(pattern))
        expression = replace_node(expression, node, changed)
    return expression


def strftime_pattern(text: str) -> str | None:
    """Translate a format into DuckDB's; None for AUTO, which is the default format.

    Raises:
        SqlError: It has an unsupported element.
    """
    if text.upper() == "AUTO":
        return None
    pattern, end = "", 0
    while end < len(text):
        piece = _PIECE.match(text, end)
        if piece is None:
            raise unsupported(f"TO_CHAR with the format {text!r}")
        end = piece.end()
        if piece["element"]:
            pattern += _ELEMENTS[piece["element"].upper()]
        else:
            pattern += (piece["quoted"] or piece["other"] or "").replace("%", "%%")
    return pattern


def convert_from_utc(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Treat a timestamp without a zone as one in the session's zone, which is UTC."""
    for node in expression.find_all(exp.ConvertTimezone):
        if not node.args.get("source_tz"):
            instant = exp.cast(node.args["timestamp"].copy(), exp.DataType.Type.TIMESTAMPTZ)
            node.set("timestamp", instant)
    return expression


def _constant_text(expression: Expr) -> str | None:
    """Return the concatenation of constants; None if a part is not constant."""
    match expression:
        case exp.Literal() if expression.is_string:
            return str(expression.this)
        case exp.Paren():
            return _constant_text(expression.this)
        case exp.DPipe():
            parts = [expression.left, expression.right]
        case exp.Concat():
            parts = expression.expressions
        case _:
            return None
    texts = [_constant_text(part) for part in parts]
    return None if None in texts else "".join(text or "" for text in texts)


def _written_format(node: Expr) -> str:
    if not isinstance(node.args["format"], exp.Literal):
        raise unsupported("TO_CHAR with a format that is not a constant")
    if isinstance(node, exp.TimeToStr):  # sqlglot has turned it into Python's form already
        written = Snowflake().generator().format_time(node) or ""
        return written[1:-1].replace("''", "'")
    return str(node.args["format"].this)

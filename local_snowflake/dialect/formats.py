"""TO_CHAR and TO_VARCHAR with a format, and CONVERT_TIMEZONE with two arguments.

What fakesnow lacks: it reads a format only where it is one constant, ignores it unless it sees from
the statement alone that the value is a date or a time, reads `dd` and `dy` in lower case as
something else, and takes a timestamp without a zone for one in the target zone of CONVERT_TIMEZONE
and not in the session's.

See https://docs.snowflake.com/en/sql-reference/functions-conversion#date-and-time-formats-in-conversion-functions
"""

from __future__ import annotations

import re

from sqlglot import Expr, exp
from sqlglot.dialects.snowflake import Snowflake

from local_snowflake.sql.errors import unsupported
from local_snowflake.sql.macros import macro_call

# Snowflake's elements and DuckDB's specifiers; of two that begin alike the longer stands first.
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
    """Let a format that is put together from constants, `'HH24:MI' || 'UTC'`, be one constant."""
    for node in expression.find_all(*_WITH_FORMAT):
        written = node.args.get("format")
        text = None if written is None or written.is_string else _constant_text(written)
        if text is None:
            continue
        literal = exp.Literal.string(text)
        # But for ToChar sqlglot turns constant formats into Python's form when it parses.
        node.set(
            "format",
            literal if isinstance(node, exp.ToChar) else Snowflake.format_time(literal),
        )
    return expression


def apply_formats(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Let the format count, whatever the value's type turns out to be.

    Raises:
        SqlError: The format is not a constant, or has an element that is not known here.
    """
    for node in list(expression.find_all(exp.ToChar, exp.TimeToStr)):
        if not node.args.get("format"):
            continue
        pattern = strftime_pattern(_written_format(node))
        if pattern is None or isinstance(node.this, exp.Null):
            changed: Expr = exp.cast(node.this.copy(), exp.DataType.Type.VARCHAR)
        else:
            changed = macro_call("formatted", node.this.copy(), exp.Literal.string(pattern))
        if node is expression:
            return changed
        node.replace(changed)
    return expression


def strftime_pattern(text: str) -> str | None:
    """DuckDB's form of a format of Snowflake's; None: AUTO, which is the usual text.

    Raises:
        SqlError: It has an element that is not known here.
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
    """Let a timestamp without a zone be one in the session's, which is UTC."""
    for node in expression.find_all(exp.ConvertTimezone):
        if not node.args.get("source_tz"):
            instant = exp.cast(node.args["timestamp"].copy(), exp.DataType.Type.TIMESTAMPTZ)
            node.set("timestamp", instant)
    return expression


def _constant_text(expression: Expr) -> str | None:
    """The text that constants put together give; None: something in it is not constant."""
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

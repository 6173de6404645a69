"""Values that are taken as texts: casts to VARCHAR, and arguments of functions of texts.

What fakesnow lacks: a VARIANT that is a text keeps its quotes, so that `v:name || '!'` is
`"Ann"!`; a float is `4.0` where Snowflake gives `4`; a number or a date is refused where Snowflake
casts it. See https://docs.snowflake.com/en/sql-reference/data-type-conversion.
"""

from __future__ import annotations

from sqlglot import Expr, exp

from local_snowflake.dialect.functions.rewrites.variants import JSON_PARTS
from local_snowflake.sql.macros import macro_call

_TEXTS = exp.DataType.TEXT_TYPES
_COMPARISONS = (exp.EQ, exp.NEQ, exp.In)

TEXT_ARGUMENTS: dict[type[Expr], tuple[str, ...]] = {
    exp.Concat: ("expressions",),
    exp.ConcatWs: ("expressions",),
    exp.Contains: ("this", "expression"),
    exp.DPipe: ("this", "expression"),
    exp.EndsWith: ("this", "expression"),
    exp.ILike: ("this",),
    exp.Initcap: ("this",),
    exp.Left: ("this",),
    exp.Like: ("this",),
    exp.Lower: ("this",),
    exp.Pad: ("this",),
    exp.RegexpCount: ("this",),
    exp.RegexpExtract: ("this",),
    exp.RegexpExtractAll: ("this",),
    exp.RegexpInstr: ("this",),
    exp.RegexpLike: ("this",),
    exp.RegexpReplace: ("this",),
    exp.Replace: ("this",),
    exp.Reverse: ("this",),
    exp.Right: ("this",),
    exp.Split: ("this",),
    exp.SplitPart: ("this",),
    exp.StartsWith: ("this", "expression"),
    exp.StrPosition: ("this", "substr"),
    exp.Strtok: ("this",),
    exp.StrtokToArray: ("this",),
    exp.Substring: ("this",),
    exp.Translate: ("this",),
    exp.Upper: ("this",),
}
"""The arguments of functions and operators that are texts, by sqlglot's names."""


def cast_to_text(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make casts to VARCHAR write values as Snowflake does."""
    for cast in reversed(list(expression.find_all(exp.Cast))):
        if cast.to.this in _TEXTS and not _is_text(cast.this):
            cast.set("this", macro_call("as_text", cast.this.copy()))
    return expression


def take_texts(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Cast the arguments of functions of texts, and what is compared with a text."""
    for node in reversed(list(expression.find_all(*TEXT_ARGUMENTS))):
        for name in TEXT_ARGUMENTS[type(node)]:
            value = node.args.get(name)
            if isinstance(value, list):
                node.set(name, [_as_argument(item) for item in value])
            elif value is not None:
                node.set(name, _as_argument(value))
    for node in reversed(list(expression.find_all(*_COMPARISONS))):
        sides = [node.this, *node.expressions, node.args.get("expression")]
        if any(isinstance(side, exp.Literal) and side.is_string for side in sides):
            for side in (node.this, node.args.get("expression")):
                if isinstance(side, JSON_PARTS):
                    side.replace(macro_call("as_text", side.copy()))
    return expression


def keep_trim_characters(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Keep the side and the characters of LTRIM, RTRIM and TRIM: LTRIM('0a', '0') is 'a'.

    fakesnow loses both when it casts the argument to text, so it is cast here already.
    """
    for trim in expression.find_all(exp.Trim):
        if not isinstance(trim.this, exp.Cast):
            trim.set("this", exp.cast(trim.this.copy(), exp.DataType.Type.VARCHAR))
    return expression


def _as_argument(value: Expr) -> Expr:
    return value if _is_text(value) else macro_call("text_argument", value.copy())


def _is_text(value: Expr) -> bool:
    """Whether a value is known to be a text, or has no type yet."""
    match value:
        case exp.Paren():
            return _is_text(value.this)
        case exp.Cast():
            return value.to.this in _TEXTS
        case exp.Literal():
            return value.is_string
        case exp.Null() | exp.Collate() | exp.JSONExtractScalar():
            return True
    return type(value) in _GIVE_TEXTS or value.find(exp.Placeholder) is not None


_GIVE_TEXTS = {
    *TEXT_ARGUMENTS.keys()
    - {
        *(exp.Contains, exp.EndsWith, exp.ILike, exp.Like, exp.RegexpCount, exp.RegexpExtractAll),
        *(exp.RegexpInstr, exp.RegexpLike, exp.Split, exp.StartsWith, exp.StrPosition),
        exp.StrtokToArray,
    },
    exp.Trim,
}

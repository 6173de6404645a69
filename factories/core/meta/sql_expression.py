"""SQL expressions that YAML gives, as a part of a statement that is made of them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, StrictStr

# What is read as a whole: texts and quoted names, and comments. Snowflake escapes a quote by
# another one, in texts also by a backslash.
WHOLE = re.compile(
    r"""'(?:[^'\\]|''|\\.)*'|"(?:[^"]|"")*"|\$\$.*?\$\$|--[^\n]*|//[^\n]*|/\*.*?\*/""", re.DOTALL
)
OPENED = ("'", '"', "$$", "/*")


def check_expression(value: str) -> str:
    """Return an expression as it came.

    Raises:
        ValueError: When it would end, or begin, something of the statement around it.
    """
    rest = WHOLE.sub(" ", value)
    if not rest.strip():
        raise ValueError("the SQL is empty")
    for mark in OPENED:
        if mark in rest:
            raise ValueError(f"the SQL opens {mark} and does not close it")
    if ";" in rest:
        raise ValueError("the SQL is an expression, so it has no ';'")
    depth = 0
    for character in rest:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            raise ValueError("the SQL closes a ')' that it does not open")
    if depth:
        raise ValueError("the SQL opens a '(' and does not close it")
    return value


SqlExpression = Annotated[StrictStr, AfterValidator(check_expression)]

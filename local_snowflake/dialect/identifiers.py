"""Identifiers that are keywords in DuckDB, and IDENTIFIER().

What fakesnow lacks: it does not quote `at`, `end` or `desc`, which are valid names in Snowflake and
keywords in DuckDB; it supports IDENTIFIER() as a table only, and not where handlers expect a name.
 See https://docs.snowflake.com/en/sql-reference/identifier-literal.
"""

from __future__ import annotations

import re
from typing import Any

from sqlglot import Expr, exp

from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import unsupported
from local_snowflake.sql.lexer import unquote_string
from local_snowflake.sql.statements import Statement

_IDENTIFIER = re.compile(
    r"""(?P<function>\bIDENTIFIER\s*\(\s*(?:\?|'(?P<text>(?:[^'\\]|\\.|'')*)')\s*\))
      | '(?:[^'\\]|\\.|'')*' | \$\$.*?\$\$ | "(?:[^"]|"")*"
      | --[^\n]* | (?<!:)//[^\n]* | /\*.*?\*/
      | (?P<bind>\?)""",
    re.DOTALL | re.VERBOSE | re.IGNORECASE,
)


def inline_identifiers(statement: Statement, bindings: Bindings) -> tuple[Statement, Bindings]:
    """Replace IDENTIFIER('…') and IDENTIFIER(?) by the names in them.

    Returns:
        The statement without IDENTIFIER(), and the values of the remaining `?`s.

    Raises:
        SqlError: IDENTIFIER(?) in a statement for which arrays are bound.
    """
    if "IDENTIFIER" not in statement.sql.upper():
        return statement, bindings
    values = bindings.rows[0]
    used: list[int] = []
    seen = 0

    def name(match: re.Match[str]) -> str:
        nonlocal seen
        if match["bind"]:
            seen += 1
        if not match["function"]:
            return match[0]
        if match["text"] is not None:
            return unquote_string(f"'{match['text']}'")
        if bindings.is_batch:
            raise unsupported("IDENTIFIER(?) with arrays of values")
        if not isinstance(values, list) or seen >= len(values):
            return match[0]
        used.append(seen)
        seen += 1
        return str(values[seen - 1])

    sql = _IDENTIFIER.sub(name, statement.sql)
    if used and isinstance(values, list):
        left: list[Any] = [value for i, value in enumerate(values) if i not in used]
        bindings = Bindings((left or None,))
    return Statement(sql, statement.binds - len(used)), bindings


def quote_identifiers(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Quote every identifier: fakesnow has changed them to the case in which they are stored."""
    for identifier in expression.find_all(exp.Identifier):
        identifier.set("quoted", True)
    return expression


def keep_keys(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Keep the keys of `{'a': 1}` as written: sqlglot parses them as names, in upper case."""
    for struct in expression.find_all(exp.Struct):
        for pair in struct.expressions:
            if isinstance(pair, exp.PropertyEQ) and isinstance(pair.this, exp.Identifier):
                pair.this.set("quoted", True)
    return expression

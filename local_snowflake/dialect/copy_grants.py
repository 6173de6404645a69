"""COPY GRANTS behind CLONE or LIKE.

What fakesnow lacks: sqlglot reads COPY GRANTS only where it stands before them. Snowflake has it
behind: https://docs.snowflake.com/en/sql-reference/sql/create-table#create-table-clone.
"""

from __future__ import annotations

import re

from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.lexer import strip_comments
from local_snowflake.sql.statements import Statement

_BEHIND = re.compile(
    r"""(?P<head>.*?)(?P<copy>\b(?:CLONE|LIKE)\s+(?:"(?:[^"]|"")*"|[^\s"])+)\s+COPY\s+GRANTS\s*""",
    re.IGNORECASE | re.DOTALL,
)


def read_copy_grants(statement: Statement, bindings: Bindings) -> tuple[Statement, Bindings]:
    """Put COPY GRANTS where sqlglot reads it."""
    if statement.keyword != "CREATE" or "TABLE" not in statement.words:
        return statement, bindings
    match = _BEHIND.fullmatch(strip_comments(statement.sql))
    if match is None:
        return statement, bindings
    return Statement(f"{match['head']} COPY GRANTS {match['copy']}", statement.binds), bindings

"""CREATE SCOPED TEMPORARY …, as Snowpark writes it for its own tables, stages and file formats.

What upstream lacks: sqlglot does not know the word. Scoped objects end with the stored procedure
that made them, in a plain session with the session: here they are temporary objects.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local_snowflake.engine.results import StatementResult
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.statements import Statement

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session

_SCOPED = re.compile(r"\bSCOPED\s+(?=TEMP)", re.IGNORECASE)


class CreateScoped:
    """CREATE [OR REPLACE] SCOPED TEMPORARY TABLE, VIEW, STAGE, FILE FORMAT, FUNCTION, …."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is one of them."""
        words = statement.words[:5]
        return words[:1] == ["CREATE"] and "SCOPED" in words and bool(_SCOPED.search(statement.sql))

    def run(self, session: Session, statement: Statement, bindings: Bindings) -> StatementResult:
        """Run it as CREATE TEMPORARY."""
        sql = _SCOPED.sub("", statement.sql, count=1)
        return session.dispatch(Statement(sql, statement.binds), bindings)

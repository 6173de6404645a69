"""RESULT_SCAN: the rows of an earlier query.

What upstream lacks: it knows the plain form only, loses the columns' description, and keeps every
result for good.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local_snowflake.bindings import Bindings
from local_snowflake.errors import SqlError
from local_snowflake.results import StatementResult
from local_snowflake.statements import Statement, without_comments

if TYPE_CHECKING:
    from local_snowflake.sessions import Session

_PLAIN = re.compile(
    r"select\s+\*\s+from\s+table\s*\(\s*result_scan\s*\(\s*'([\w-]+)'\s*\)\s*\)", re.IGNORECASE
)


class PlainResultScan:
    """`SELECT * FROM TABLE(RESULT_SCAN('id'))`: what drivers send for asynchronous queries."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is exactly that."""
        return statement.keyword == "SELECT" and bool(
            _PLAIN.fullmatch(without_comments(statement.sql))
        )

    def run(self, session: Session, statement: Statement, bindings: Bindings) -> StatementResult:  # noqa: ARG002 - the protocol's signature
        """Give the earlier result again."""
        query_id = without_comments(statement.sql).split("'")[1]
        result = session.warehouse.results.get(query_id)
        if result is None:
            raise SqlError(f"Statement {query_id} not found", 709, "02000")
        return result

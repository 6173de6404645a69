"""Functions and procedures of one's own: a clear error.

What upstream lacks: it hands them to DuckDB, whose syntax error quotes the whole body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakesnow.statement_type import DDL

from local_snowflake.bindings import Bindings
from local_snowflake.errors import unsupported
from local_snowflake.results import StatementResult, status_result
from local_snowflake.statements import Statement

if TYPE_CHECKING:
    from local_snowflake.sessions import Session

_KINDS = {"FUNCTION": "A user-defined function", "PROCEDURE": "A stored procedure"}
_VERBS = {"CREATE", "ALTER", "DROP", "DESCRIBE", "DESC"}


class Routine:
    """CREATE, ALTER, DROP, DESCRIBE FUNCTION or PROCEDURE, CALL, EXECUTE IMMEDIATE."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is one of them."""
        words = statement.words
        return (
            statement.keyword == "CALL"
            or words[:2] == ["EXECUTE", "IMMEDIATE"]
            or (statement.keyword in _VERBS and _kind(statement) is not None)
        )

    def run(self, session: Session, statement: Statement, bindings: Bindings) -> StatementResult:  # noqa: ARG002 - the protocol's signature
        """Raise the error that names the feature; nothing needs to be dropped."""
        if statement.keyword == "DROP" and "EXISTS" in statement.words:
            return status_result(
                "Drop statement executed successfully (already dropped).", type_id=DDL
            )
        if statement.words[:2] == ["EXECUTE", "IMMEDIATE"]:
            raise unsupported("EXECUTE IMMEDIATE (Snowflake Scripting)")
        raise unsupported(_KINDS[_kind(statement) or "PROCEDURE"])


def _kind(statement: Statement) -> str | None:
    before_name = statement.words[1:6]
    for word in before_name:
        if word in _KINDS:
            return word
        if word not in {"OR", "REPLACE", "TEMPORARY", "TEMP", "SECURE", "AGGREGATE", "EXTERNAL"}:
            return None
    return None

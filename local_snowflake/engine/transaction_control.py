"""The statements that open and end transactions."""

from __future__ import annotations

from typing import Protocol

from fakesnow.statement_type import TCL

from local_snowflake.engine.results import StatementResult, status_result
from local_snowflake.engine.transactions import Transactions
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.lexer import strip_comments
from local_snowflake.sql.statements import Statement


class _HasTransactions(Protocol):
    @property
    def transactions(self) -> Transactions: ...


class TransactionControl:
    """BEGIN, START TRANSACTION, COMMIT, ROLLBACK and ALTER SESSION SET AUTOCOMMIT."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement opens or ends a transaction."""
        words = statement.words
        return (
            statement.keyword in {"BEGIN", "COMMIT", "ROLLBACK"}
            or words[:2] == ["START", "TRANSACTION"]
            or words[:4] == ["ALTER", "SESSION", "SET", "AUTOCOMMIT"]
        )

    def run(
        self,
        session: _HasTransactions,
        statement: Statement,
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """Change the session's transaction state."""
        match statement.keyword:
            case "BEGIN" | "START":
                session.transactions.begin()
            case "COMMIT":
                session.transactions.commit()
            case "ROLLBACK":
                session.transactions.rollback()
            case _:
                value = strip_comments(statement.sql).rpartition("=")[2].strip().upper()
                session.transactions.set_autocommit(value == "TRUE")
        return status_result(type_id=TCL)

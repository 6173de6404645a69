"""CREATE SEQUENCE, refused where NEXTVAL could not find the sequence.

fakesnow writes the name into DuckDB's `nextval('…')` as it is.
"""

from __future__ import annotations

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import unsupported
from local_snowflake.sql.lexer import Reader
from local_snowflake.sql.names import read_parts
from local_snowflake.sql.statements import Statement

_NOT_IN_A_NAME = frozenset("\"'.")


class CreateSequence:
    """CREATE [OR REPLACE] SEQUENCE [IF NOT EXISTS]."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement creates a sequence."""
        return statement.label == "CREATE SEQUENCE"

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Have fakesnow create it.

        Raises:
            SqlError: Its name has quotes or dots.
        """
        reader = Reader(statement.sql, bindings)
        reader.expect("CREATE")
        reader.accept("OR", "REPLACE")
        reader.expect("SEQUENCE")
        reader.accept("IF", "NOT", "EXISTS")
        for part in read_parts(reader):
            if _NOT_IN_A_NAME & set(part):
                raise unsupported(f"A sequence with quotes or dots in its name ({part})")
        return session.run_in_fakesnow(statement, bindings)

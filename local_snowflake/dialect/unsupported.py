"""Features that the embedded warehouse will not have are refused with a clear error.

fakesnow parses these as opaque commands and passes them to DuckDB, whose syntax error names neither
the feature nor the reason.
"""

from __future__ import annotations

from typing import NoReturn

from sqlglot import Expr, exp

from local_snowflake.engine.context import StatementContext
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import unsupported
from local_snowflake.sql.statements import Statement

_OBJECTS = {
    "TASK": "TASK",
    "TASKS": "TASK",
    "STREAM": "STREAM",
    "STREAMS": "STREAM",
    "PIPE": "PIPE",
    "PIPES": "PIPE",
    "ALERT": "ALERT",
    "ALERTS": "ALERT",
    "MASKING": "MASKING POLICY",
    "SHARE": "SHARE",
    "SHARES": "SHARE",
    "STREAMLIT": "STREAMLIT",
    "NOTEBOOK": "NOTEBOOK",
    "MODEL": "MODEL",
    "SERVICE": "SERVICE",
    "COMPUTE": "COMPUTE POOL",
}
_VERBS = {"CREATE", "ALTER", "DROP", "SHOW", "DESCRIBE", "DESC", "EXECUTE"}


class UnsupportedObject:
    """Refuses statements about kinds of objects that this warehouse does not have."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement creates, changes or shows such an object."""
        return statement.keyword == "EXPLAIN" or (
            statement.keyword in _VERBS and self._object(statement) is not None
        )

    def run(self, session: StatementContext, statement: Statement, bindings: Bindings) -> NoReturn:  # noqa: ARG002 - the protocol's signature
        """Raise the error that names the object's kind."""
        raise unsupported(self._object(statement) or statement.label)

    @staticmethod
    def _object(statement: Statement) -> str | None:
        return _OBJECTS.get(statement.label.split()[-1])


def refuse_time_travel(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Refuse `FROM t AT (…)` and `FROM t BEFORE (…)`: there is no history.

    Raises:
        SqlError: A query reads a table's history.
    """
    if expression.find(exp.HistoricalData):
        raise unsupported("Time Travel (AT, BEFORE)")
    return expression

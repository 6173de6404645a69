"""The table of what is refused, with the reason: it would be wrong, or cannot be here.

fakesnow passes statements about unknown kinds of objects to DuckDB, whose syntax error names
neither the feature nor the reason, and calls of functions that DuckDB has with another meaning.
"""

from __future__ import annotations

from typing import NoReturn

from sqlglot import Expr, exp

from local_snowflake.dialect.rows import Refused, is_call
from local_snowflake.engine.context import StatementContext
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import unsupported
from local_snowflake.sql.statements import Statement

_NO_SCHEDULER = "nothing runs in the warehouse by itself; Dagster schedules"
_NO_STREAMS = "tables have no history"
_NO_ACCESS_RULES = "roles and grants permit and forbid nothing"
_ONE_ACCOUNT = "there is one account"
_NO_COMPUTE = "it runs no containers"

REFUSED_OBJECTS = {
    "TASK": _NO_SCHEDULER,
    "ALERT": _NO_SCHEDULER,
    "PIPE": _NO_SCHEDULER,
    "STREAM": _NO_STREAMS,
    "MASKING POLICY": _NO_ACCESS_RULES,
    "SHARE": _ONE_ACCOUNT,
    "STREAMLIT": "it serves no applications",
    "NOTEBOOK": "it serves no applications",
    "MODEL": "models are in the registry of Snowpark ML, which needs Snowflake",
    "SERVICE": _NO_COMPUTE,
    "COMPUTE POOL": _NO_COMPUTE,
}
"""Kinds of objects that no statement may create, change or show."""

REFUSED = (
    Refused(
        "APPROX_TOP_K",
        exp.ApproxTopK,
        "DuckDB's returns the values without their counts; use COUNT with GROUP BY",
    ),
    Refused(
        "COUNT(table.*)",
        exp.Count,
        "DuckDB's counts every row, Snowflake's those without a NULL; use COUNT(*)",
        lambda node: isinstance(node.this, exp.Column) and isinstance(node.this.this, exp.Star),
    ),
    Refused(
        "Time Travel (AT, BEFORE)",
        exp.HistoricalData,
        _NO_STREAMS,
    ),
)

_WORDS = {
    **{word: kind for kind in REFUSED_OBJECTS for word in (kind, f"{kind}S") if " " not in word},
    "MASKING": "MASKING POLICY",
    "COMPUTE": "COMPUTE POOL",
}
_VERBS = {"CREATE", "ALTER", "DROP", "SHOW", "DESCRIBE", "DESC", "EXECUTE"}


class RefusedObject:
    """Refuses statements about kinds of objects that this warehouse does not have."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement creates, changes or shows such an object."""
        return statement.keyword == "EXPLAIN" or (
            statement.keyword in _VERBS and self._object(statement) is not None
        )

    def run(self, session: StatementContext, statement: Statement, bindings: Bindings) -> NoReturn:  # noqa: ARG002 - the protocol's signature
        """Raise the error that names the object's kind."""
        kind = self._object(statement)
        if kind is None:
            raise unsupported(statement.label)
        raise unsupported(kind, REFUSED_OBJECTS[kind])

    @staticmethod
    def _object(statement: Statement) -> str | None:
        return _WORDS.get(statement.label.split()[-1])


def refuse_calls(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Refuse the calls that the table is about.

    Raises:
        SqlError: The statement contains one.
    """
    for node in expression.find_all(*_NODES):
        for row in REFUSED:
            if is_call(node, row):
                raise unsupported(row.call, row.because)
    return expression


_NODES = tuple({row.node if isinstance(row.node, type) else exp.Anonymous for row in REFUSED})

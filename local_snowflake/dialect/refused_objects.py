"""Kinds of objects that are refused, with the reason.

What fakesnow lacks: it passes statements about them to DuckDB, whose syntax error names neither the
feature nor the reason.
"""

from __future__ import annotations

from typing import NoReturn

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

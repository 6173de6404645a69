"""ALTER SESSION SET and UNSET, SHOW PARAMETERS.

What fakesnow lacks: it knows two parameters. Here a parameter that does not change the meaning of
statements is stored; one that would is accepted with its default value only; an unknown one is
refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import sqlglot
from fakesnow.statement_type import SCL
from sqlglot import TokenType

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult, status_result
from local_snowflake.engine.table_locks import LOCK_SECONDS
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import SqlError, syntax_error, unsupported
from local_snowflake.sql.lexer import strip_comments
from local_snowflake.sql.statements import Statement

DEFAULTS = {
    "ABORT_DETACHED_QUERY": "false",
    "AUTOCOMMIT": "true",
    "BINARY_INPUT_FORMAT": "HEX",
    "BINARY_OUTPUT_FORMAT": "HEX",
    "DATE_INPUT_FORMAT": "AUTO",
    "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
    "ERROR_ON_NONDETERMINISTIC_MERGE": "true",
    "ERROR_ON_NONDETERMINISTIC_UPDATE": "false",
    "LOCK_TIMEOUT": "43200",
    "MULTI_STATEMENT_COUNT": "1",
    "QUERY_TAG": "",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": "false",
    "ROWS_PER_RESULTSET": "0",
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": "0",
    "STATEMENT_TIMEOUT_IN_SECONDS": "172800",
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "TIMEZONE": "Etc/UTC",
    "TIME_INPUT_FORMAT": "AUTO",
    "TRANSACTION_DEFAULT_ISOLATION_LEVEL": "READ COMMITTED",
    "USE_CACHED_RESULT": "true",
    "WEEK_START": "0",
    "WEEK_OF_YEAR_POLICY": "0",
}
# These change no statement's meaning.
_FREE = {
    "ABORT_DETACHED_QUERY",
    "LOCK_TIMEOUT",
    "LOG_LEVEL",
    "QUERY_TAG",
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS",
    "STATEMENT_TIMEOUT_IN_SECONDS",
    "TRACE_LEVEL",
    "USE_CACHED_RESULT",
}
_SECONDS = {"LOCK_TIMEOUT", "STATEMENT_TIMEOUT_IN_SECONDS"}
_FREE_PREFIXES = ("CLIENT_", "JDBC_", "ODBC_", "PYTHON_", "GO_", "SNOWPARK_", "ENABLE_SNOW_API_")
_SAME = {"TIMEZONE": {"ETC/UTC", "UTC", "GMT", "ETC/GMT"}}


class HasParameters(Protocol):
    """A session, for its parameters."""

    parameters: dict[str, str]


def set_parameter(session: HasParameters, name: str, value: str) -> None:
    """Set a parameter of a session.

    Raises:
        SqlError: It is unknown, or the value would change the meaning of statements.
    """
    name = name.upper()
    if name in _SECONDS and not value.isdecimal():
        message = f"SQL compilation error:\ninvalid value [{value}] for parameter '{name}'"
        raise SqlError(message, 1008, "22023")
    if name in _FREE or name.startswith(_FREE_PREFIXES):
        session.parameters[name] = value
        return
    if name not in DEFAULTS:
        raise SqlError(f"SQL compilation error:\ninvalid parameter '{name}'", 1006, "22023")
    if value.upper() not in _SAME.get(name, {DEFAULTS[name].upper()}):
        raise unsupported(f"The session parameter {name} = {value}")


def set_login_parameters(session: HasParameters, parameters: Mapping[str, Any]) -> None:
    """Set the parameters that a client sent at login.

    Raises:
        SqlError: A value would change the meaning of statements.
    """
    for name, value in parameters.items():
        # Drivers send parameters of their own at login that mean nothing to a warehouse.
        if name.upper() in DEFAULTS and name.upper() != "AUTOCOMMIT":
            set_parameter(session, name, str(value))
        else:
            session.parameters[name.upper()] = str(value)


def lock_seconds(session: HasParameters) -> float:
    """Return how long a session's statement waits for a table that another one has locked."""
    return min(float(session.parameters.get("LOCK_TIMEOUT", LOCK_SECONDS)), LOCK_SECONDS)


def statement_seconds(session: HasParameters) -> int:
    """Return after how many seconds a session's statement is canceled; 0 for never."""
    return int(session.parameters.get("STATEMENT_TIMEOUT_IN_SECONDS", "0"))


class AlterSession:
    """ALTER SESSION SET a = 1 b = 2 and ALTER SESSION UNSET a, b."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is ALTER SESSION; AUTOCOMMIT has its own handler."""
        return statement.words[:2] == ["ALTER", "SESSION"]

    def run(
        self,
        session: StatementContext,
        statement: Statement,
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """Set or unset the parameters, all or none."""
        tokens = sqlglot.tokenize(strip_comments(statement.sql), read="snowflake")[2:]
        words = [t.text for t in tokens if t.token_type != TokenType.COMMA]
        kept = dict(session.parameters)
        try:
            if words[:1] and words[0].upper() == "UNSET":
                for name in words[1:]:
                    session.parameters.pop(name.upper(), None)
            elif words[:1] and words[0].upper() == "SET":
                self._set(session, words[1:])
            else:
                raise syntax_error("ALTER SESSION takes SET or UNSET")
        except SqlError:
            session.parameters = kept
            raise
        return status_result(type_id=SCL)

    @staticmethod
    def _set(session: StatementContext, words: list[str]) -> None:
        while words:
            if len(words) < 3 or words[1] != "=":  # noqa: PLR2004 - name, =, value
                raise syntax_error("ALTER SESSION SET takes NAME = VALUE")
            name, _, value, *words = words
            if value == "-" and words:
                value, *words = f"-{words[0]}", *words[1:]
            set_parameter(session, name, value)

"""CURRENT_WAREHOUSE() and the like, and SYSTEM$ functions.

What fakesnow lacks: it passes these on to DuckDB, which does not have them or returns its own:
CURRENT_USER() is 'duckdb'.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import Expr, exp

from local_snowflake.engine.context import StatementContext
from local_snowflake.sql.errors import unsupported
from local_snowflake.sql.trees import replace_node

ACCOUNT = "LOCAL"
_Answer = Callable[[StatementContext], str | None]

_ANSWERS: dict[str, _Answer] = {
    "CURRENT_ACCOUNT": lambda _: ACCOUNT,
    "CURRENT_ACCOUNT_NAME": lambda _: ACCOUNT,
    "CURRENT_ORGANIZATION_NAME": lambda _: ACCOUNT,
    "CURRENT_REGION": lambda _: ACCOUNT,
    "CURRENT_CLIENT": lambda _: None,
    "CURRENT_IP_ADDRESS": lambda _: "127.0.0.1",
    "CURRENT_USER": lambda session: session.user,
    "CURRENT_ROLE": lambda session: session.role_name,
    "CURRENT_ROLE_TYPE": lambda _: "ROLE",
    "CURRENT_PRIMARY_ROLE": lambda session: session.role_name,
    "CURRENT_SECONDARY_ROLES": lambda _: '{"roles":"","value":""}',
    "CURRENT_AVAILABLE_ROLES": lambda session: f'["{session.role_name or "PUBLIC"}"]',
    "CURRENT_WAREHOUSE": lambda session: session.warehouse_name,
    "CURRENT_DATABASE": lambda session: session.database,
    "CURRENT_SCHEMA": lambda session: session.schema,
    "CURRENT_SCHEMAS": lambda session: f'["{session.database}.{session.schema}"]',
    "CURRENT_SESSION": lambda session: str(session.number),
    "CURRENT_TRANSACTION": lambda session: "1" if session.transactions.is_open else None,
    "CURRENT_STATEMENT": lambda _: None,
    "LAST_QUERY_ID": lambda session: session.last_query_id,
}
# Constant answers: there is nothing to do for the caller.
_SYSTEM_ANSWERS: dict[str, str | None] = {
    "CANCEL_ALL_QUERIES": "0 queries cancelled.",
    "CANCEL_QUERY": "Identified SQL statement is not currently executing.",
    "ARE_ANACONDA_TERMS_ACKNOWLEDGED": "true",
    "GET_DEFAULT_PYTHON_ARTIFACT_REPOSITORY": None,
    "ABORT_SESSION": "",
    "BEHAVIOR_CHANGE_BUNDLE_STATUS": "DISABLED",
}


def answer_context_functions(expression: Expr, session: StatementContext) -> Expr:
    """Replace the functions by their values."""
    for node in list(expression.find_all(exp.Func)):
        name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).upper()
        if name.startswith("SYSTEM$"):
            answer = _system(name.removeprefix("SYSTEM$"))
        elif name in _ANSWERS:
            given = _ANSWERS[name](session)
            answer = exp.null() if given is None else exp.Literal.string(given)
        else:
            continue
        expression = replace_node(expression, node, answer)
    return expression


def _system(name: str) -> Expr:
    if name not in _SYSTEM_ANSWERS:
        raise unsupported(f"SYSTEM${name}")
    text = _SYSTEM_ANSWERS[name]
    return exp.null() if text is None else exp.Literal.string(text)

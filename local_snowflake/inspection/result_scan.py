"""RESULT_SCAN: the rows of an earlier query.

What fakesnow lacks: it supports the plain form only, loses the columns' description, and keeps
every result for good.
"""

from __future__ import annotations

import re
from functools import partial

from sqlglot import Expr, exp

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import SqlError
from local_snowflake.sql.lexer import strip_comments
from local_snowflake.sql.statements import Statement

_PLAIN = re.compile(
    r"select\s+\*\s+from\s+table\s*\(\s*result_scan\s*\(\s*'([\w-]+)'\s*\)\s*\)", re.IGNORECASE
)


class PlainResultScan:
    """`SELECT * FROM TABLE(RESULT_SCAN('id'))`, which drivers send for asynchronous queries."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is exactly that."""
        return statement.keyword == "SELECT" and bool(
            _PLAIN.fullmatch(strip_comments(statement.sql))
        )

    def run(
        self,
        session: StatementContext,
        statement: Statement,
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """Return the earlier result again."""
        query_id = strip_comments(statement.sql).split("'")[1]
        return _result(session, query_id)


def use_earlier_results(expression: Expr, session: StatementContext) -> Expr:
    """Replace RESULT_SCAN in any query by a view of the earlier result.

    Its argument is a query id or LAST_QUERY_ID(), which `answer_context_functions` has replaced.
    """
    for scan in list(expression.find_all(exp.TableFromRows)):
        function = scan.this
        if not isinstance(function, exp.Anonymous) or function.name.upper() != "RESULT_SCAN":
            continue
        argument = function.expressions[0] if function.expressions else None
        query_id = argument.name if isinstance(argument, exp.Literal) else ""
        result = _result(session, query_id)
        view = f"result of {query_id}"
        session.duck.complete()
        session.duck.register(view, result.table)
        session.after_statement.append(partial(_remove_view, session, view))
        alias = scan.args.get("alias") or exp.TableAlias(this=exp.to_identifier("RESULT_SCAN"))
        scan.replace(exp.Table(this=exp.to_identifier(view, quoted=True), alias=alias))
    return expression


def _remove_view(session: StatementContext, view: str) -> None:
    session.duck.complete()
    session.duck.unregister(view)


def _result(session: StatementContext, query_id: str) -> StatementResult:
    result = session.warehouse.results.get(query_id)
    if result is None:
        raise SqlError(f"Statement {query_id} not found", 709, "02000")
    return result

"""The handler of SHOW.

What fakesnow lacks: LIKE, STARTS WITH and LIMIT for most kinds, comments, temporary objects, rows,
keys that are recorded and not enforced, grants, roles, and all that sqlglot does not parse.
"""

from __future__ import annotations

from fakesnow.statement_type import SHOW

from local_snowflake.engine.results import StatementResult
from local_snowflake.inspection.show_queries import QUERIES
from local_snowflake.inspection.show_statement import read_show
from local_snowflake.routines.context import RoutineContext
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import unsupported
from local_snowflake.sql.quoting import sql_literal
from local_snowflake.sql.statements import Statement

# fakesnow answers these.
_FAKESNOW = {"STAGES", "FILE FORMATS", "SEQUENCES"}
_TERSE = '"created_on", "name", "kind", "database_name", "schema_name"'


class ShowObjects:
    """SHOW of all kinds of objects, also of those that the warehouse never has."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is a SHOW that is answered here."""
        return statement.keyword == "SHOW" and read_show(statement.sql).kind not in _FAKESNOW

    def run(
        self,
        session: RoutineContext,
        statement: Statement,
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """List the objects."""
        show = read_show(statement.sql)
        if show.kind not in QUERIES:
            raise unsupported(f"SHOW {show.kind}")
        query = QUERIES[show.kind](show, session)
        name = '"key"' if show.kind == "PARAMETERS" else '"name"'
        where = []
        if show.like is not None:
            where.append(f"{name} ILIKE {sql_literal(show.like)} ESCAPE '\\'")
        if show.starts_with is not None:
            where.append(f"starts_with({name}, {sql_literal(show.starts_with)})")
        if show.after is not None:
            where.append(f"{name} > {sql_literal(show.after)}")
        columns = _TERSE if show.terse else "*"
        sql = f"SELECT {columns} FROM ({query})"  # noqa: S608 - names are literals in it
        if where:
            sql += f" WHERE {' AND '.join(where)}"
        if show.limit is not None:
            sql += f" LIMIT {show.limit}"
        result = session.select(sql)
        return StatementResult(result.table, result.rowtype, SHOW)

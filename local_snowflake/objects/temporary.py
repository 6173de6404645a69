"""Temporary tables and views in any database and schema, and CREATE SCOPED TEMPORARY ….

What fakesnow lacks: DuckDB keeps temporary objects in one schema of its own (`temp.main`), and
fakesnow passes on the qualified name, which DuckDB refuses.

Here a temporary object is stored in `temp.main` under a name that contains its full name, and every
reference to it is rewritten. It hides a permanent object of the same name, as in Snowflake
(https://docs.snowflake.com/en/user-guide/tables-temp-transient). DuckDB drops it with the session.
"""

from __future__ import annotations

import re

from sqlglot import Expr, exp

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.names import SEPARATOR, Name, as_table, resolve
from local_snowflake.sql.statements import Statement

_CATALOG, _SCHEMA = "temp", "main"
_SCOPED = re.compile(r"\bSCOPED\s+(?=TEMP)", re.IGNORECASE)


class TemporaryObjects:
    """The temporary tables and views of one session."""

    def __init__(self) -> None:
        self._names: set[Name] = set()

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __bool__(self) -> bool:
        return bool(self._names)

    def add(self, name: Name) -> None:
        """Record a relation that was created."""
        self._names.add(name)

    def discard(self, name: Name) -> None:
        """Remove a relation that was dropped or renamed."""
        self._names.discard(name)

    def within(self, database: str, schema: str | None = None) -> list[Name]:
        """Return the relations in a database, or in one of its schemas."""
        return [
            name
            for name in self._names
            if name.database == database and schema in {None, name.schema}
        ]

    def physical(self, name: Name) -> Name:
        """Return where DuckDB has the relation: the temporary one, if there is one."""
        return stored_name(name) if name in self._names else name


def stored_name(name: Name) -> Name:
    """Return where DuckDB keeps the temporary object of that name."""
    return Name(_CATALOG, _SCHEMA, SEPARATOR.join(name))


def use_temporary_objects(expression: Expr, session: StatementContext) -> Expr:
    """Rewrite every reference to a temporary object to the name that it has in DuckDB."""
    if not session.temporaries:
        return expression
    aliased: dict[Name, str] = {}
    for table in list(expression.find_all(exp.Table)):
        if not isinstance(table.this, exp.Identifier) or _is_cte(table):
            continue
        name = _name(table, session)
        if name is None or name not in session.temporaries:
            continue
        alias = table.args.get("alias")
        if alias is None and _is_source(table):
            alias = exp.TableAlias(this=exp.to_identifier(name.name, quoted=True))
            aliased[name] = name.name
        place = as_table(stored_name(name))
        for part in ("this", "db", "catalog"):
            table.set(part, place.args[part])
        table.set("alias", alias)
    for column in list(expression.find_all(exp.Column)) if aliased else ():
        _shorten(column, aliased, session)
    return expression


def _name(table: exp.Table, session: StatementContext) -> Name | None:
    missing = not table.args.get("catalog") and session.database is None
    if missing or (not table.args.get("db") and session.schema is None):
        return None
    return resolve(table, session)


def _is_cte(table: exp.Table) -> bool:
    """Whether an unqualified name means a common table expression and not a table."""
    if table.args.get("db"):
        return False
    # In its own definition the name still means the table.
    inside = table.find_ancestor(exp.CTE)
    return any(
        cte.alias.upper() == table.name.upper() and cte is not inside
        for cte in table.root().find_all(exp.CTE)
    )


def _is_source(table: exp.Table) -> bool:
    """Whether columns can be qualified by the table's name, so that it must stay valid."""
    return isinstance(
        table.parent, exp.From | exp.Join | exp.Update | exp.Delete | exp.Merge | exp.Subquery
    )


def _shorten(column: exp.Column, aliased: dict[Name, str], session: StatementContext) -> None:
    """Rewrite `DB.SCHEMA.T.C` and `SCHEMA.T.C` to `T.C`, where T is the alias that it has now."""
    if not column.args.get("db"):
        return
    owner = exp.Table(
        this=column.args["table"], db=column.args["db"], catalog=column.args.get("catalog")
    ).copy()
    if _name(owner, session) in aliased:
        column.set("db", None)
        column.set("catalog", None)


class CreateScoped:
    """CREATE [OR REPLACE] SCOPED TEMPORARY TABLE, VIEW, STAGE, FILE FORMAT, FUNCTION, ….

    Snowpark writes it for its own objects; sqlglot does not know the word. Scoped objects end with
    the stored procedure that created them, in a plain session with the session: here they are
    temporary objects.
    """

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is one of them."""
        words = statement.words[:5]
        return words[:1] == ["CREATE"] and "SCOPED" in words and bool(_SCOPED.search(statement.sql))

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Run it as CREATE TEMPORARY."""
        sql = _SCOPED.sub("", statement.sql, count=1)
        return session.dispatch(Statement(sql, statement.binds), bindings)

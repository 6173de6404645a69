"""Temporary tables and views in any database and schema.

What upstream lacks: DuckDB keeps temporary objects in one schema of its own (`temp.main`), and
upstream passes the qualified name on, which DuckDB refuses.

Here a temporary object lies in `temp.main` under a name that holds its full name, and every
reference that means it is rewritten. It hides a permanent object of the same name, as in Snowflake
(https://docs.snowflake.com/en/user-guide/tables-temp-transient). DuckDB drops it with the session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from local_snowflake.sql.errors import SEPARATOR
from local_snowflake.sql.names import Name, as_table, resolve

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session

_CATALOG, _SCHEMA = "temp", "main"


class TemporaryObjects:
    """The temporary tables and views of one session."""

    def __init__(self) -> None:
        self._names: set[Name] = set()

    def __contains__(self, name: Name) -> bool:
        return name in self._names

    def __bool__(self) -> bool:
        return bool(self._names)

    def add(self, name: Name) -> None:
        """Record an object that was created."""
        self._names.add(name)

    def discard(self, name: Name) -> None:
        """Forget an object that was dropped or renamed."""
        self._names.discard(name)

    def within(self, database: str, schema: str | None = None) -> list[Name]:
        """The objects in a database, or in one of its schemas."""
        return [
            name
            for name in self._names
            if name.database == database and schema in {None, name.schema}
        ]

    def physical(self, name: Name) -> Name:
        """Where DuckDB has the object of that name: the temporary one, if there is one."""
        return stored_name(name) if name in self._names else name


def stored_name(name: Name) -> Name:
    """Where DuckDB keeps the temporary object of that name."""
    return Name(_CATALOG, _SCHEMA, SEPARATOR.join(name))


def use_temporary_objects(expression: Expr, session: Session) -> Expr:
    """Let every reference to a temporary object mean the place where DuckDB has it."""
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


def _name(table: exp.Table, session: Session) -> Name | None:
    missing = not table.args.get("catalog") and session.connection.database is None
    if missing or (not table.args.get("db") and session.connection.schema is None):
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
    """Whether columns can be qualified by the table's name, so that the name must go on."""
    return isinstance(
        table.parent, exp.From | exp.Join | exp.Update | exp.Delete | exp.Merge | exp.Subquery
    )


def _shorten(column: exp.Column, aliased: dict[Name, str], session: Session) -> None:
    """`DB.SCHEMA.T.C` and `SCHEMA.T.C` become `T.C`, by the alias that T has now."""
    if not column.args.get("db"):
        return
    owner = exp.Table(
        this=column.args["table"], db=column.args["db"], catalog=column.args.get("catalog")
    ).copy()
    if _name(owner, session) in aliased:
        column.set("db", None)
        column.set("catalog", None)

"""Full names of tables and views."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlglot import Expr, exp

from local_snowflake.sql.errors import SqlError

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session

_CHANGING = exp.Insert | exp.Update | exp.Delete | exp.Merge | exp.TruncateTable


class Name(NamedTuple):
    """Where a table or view is, in the case in which it is stored.

    Attributes:
        database: The database.
        schema: The schema.
        name: Its own name.
    """

    database: str
    schema: str
    name: str

    @property
    def sql(self) -> str:
        """The name in SQL, each part quoted."""
        return ".".join(quoted(part) for part in self)

    def __str__(self) -> str:
        return ".".join(self)


def quoted(identifier: str) -> str:
    """An identifier in double quotes."""
    return '"' + identifier.replace('"', '""') + '"'


def text_literal(text: str) -> str:
    """A string in single quotes, for DuckDB."""
    return "'" + text.replace("'", "''") + "'"


def stored(identifier: Expr) -> str:
    """An identifier as Snowflake stores it: in upper case unless it was quoted."""
    name = identifier.name
    return name if identifier.args.get("quoted") else name.upper()


def resolve(table: Expr, session: Session) -> Name:
    """The full name that a reference means in a session.

    Raises:
        SqlError: A part is missing and the session has no current database or schema.
    """
    parts = [stored(table.args[key]) for key in ("catalog", "db", "this") if table.args.get(key)]
    return fully_qualified(parts, session)


def target_of(expression: Expr) -> exp.Table | None:
    """The table whose rows a statement changes; None: it changes none, or names none."""
    if not isinstance(expression, _CHANGING):
        return None
    target = (
        expression.expressions[0] if isinstance(expression, exp.TruncateTable) else expression.this
    )
    table = target if isinstance(target, exp.Table) else target.find(exp.Table)
    return table if table is not None and isinstance(table.this, exp.Identifier) else None


def fully_qualified(parts: list[str], session: Session) -> Name:
    """The full name of one to three parts, each as it is stored.

    Raises:
        SqlError: A part is missing and the session has no current database or schema.
    """
    database, schema = session.connection.database, session.connection.schema
    if len(parts) < 3:  # noqa: PLR2004 - database, schema and name
        if database is None:
            raise _no_current("database", 90105)
        parts = [database, *parts]
    if len(parts) < 3:  # noqa: PLR2004 - database, schema and name
        if schema is None:
            raise _no_current("schema", 90106)
        parts = [parts[0], schema, parts[1]]
    return Name(*parts)


def as_table(name: Name) -> exp.Table:
    """The reference to a name, in a syntax tree."""
    database, schema, own = (exp.to_identifier(part, quoted=True) for part in name)
    return exp.Table(this=own, db=schema, catalog=database)


def _no_current(kind: str, code: int) -> SqlError:
    return SqlError(
        f"This session does not have a current {kind}. "
        f"Call 'USE {kind.upper()}', or use a qualified name.",
        code,
        "22000",
    )

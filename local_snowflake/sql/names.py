"""Full names of tables, views, stages, procedures and other objects of a schema."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from sqlglot import Expr, exp

from local_snowflake.sql.errors import SqlError, syntax_error
from local_snowflake.sql.lexer import Reader
from local_snowflake.sql.quoting import sql_identifier

SEPARATOR = "\x1f"
"""Separates the parts of what is stored in one of DuckDB's names; messages show it as a dot."""

_CHANGING = exp.Insert | exp.Update | exp.Delete | exp.Merge | exp.TruncateTable
_PARTS = 3


class NameScope(Protocol):
    """What completes a name without a database or a schema: a session's current ones."""

    @property
    def database(self) -> str | None:
        """The current database."""
        ...

    @property
    def schema(self) -> str | None:
        """The current schema."""
        ...


class Name(NamedTuple):
    """The full name of an object, each part in the case in which it is stored.

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
        return sql_identifier(*self)

    def __str__(self) -> str:
        return ".".join(self)


def stored_identifier(identifier: Expr) -> str:
    """Return an identifier as Snowflake stores it: in upper case unless it is quoted."""
    name = identifier.name
    return name if identifier.args.get("quoted") else name.upper()


def resolve(table: Expr, scope: NameScope) -> Name:
    """Return the full name of a table reference.

    Raises:
        SqlError: A part is missing and the session has no current database or schema.
    """
    parts = [
        stored_identifier(table.args[key])
        for key in ("catalog", "db", "this")
        if table.args.get(key)
    ]
    return complete_name(parts, scope)


def changed_table(expression: Expr) -> exp.Table | None:
    """Return the table whose rows a statement changes; None if it changes none, or names none."""
    if not isinstance(expression, _CHANGING):
        return None
    target = (
        expression.expressions[0] if isinstance(expression, exp.TruncateTable) else expression.this
    )
    table = target if isinstance(target, exp.Table) else target.find(exp.Table)
    return table if table is not None and isinstance(table.this, exp.Identifier) else None


def as_table(name: Name) -> exp.Table:
    """Build the reference to a name in a syntax tree."""
    database, schema, own = (exp.to_identifier(part, quoted=True) for part in name)
    return exp.Table(this=own, db=schema, catalog=database)


def read_name(reader: Reader, scope: NameScope) -> Name:
    """Read `[[database.]schema.]name` or `IDENTIFIER('…')`.

    Raises:
        SqlError: There is no name, or it needs a current database or schema and there is none.
    """
    if reader.accept("IDENTIFIER", "("):
        text = reader.expect_kind("string").text
        reader.expect(")")
        return parse_name(text, scope)
    return complete_name(read_parts(reader), scope)


def read_parts(reader: Reader) -> list[str]:
    """Read the parts of a name, each as it is stored; `db..t` is `db.PUBLIC.t`.

    Raises:
        SqlError: There is no name.
    """
    parts = [_read_part(reader)]
    while reader.accept("."):
        parts.append("PUBLIC" if reader.comes(".") else _read_part(reader))
    return parts


def parse_name(text: str, scope: NameScope) -> Name:
    """Read a name that is the whole text.

    Raises:
        SqlError: As in `read_name`.
    """
    return read_name(Reader(text), scope)


def complete_name(parts: list[str], scope: NameScope) -> Name:
    """Complete a name of one to three stored parts by the current database and schema.

    Raises:
        SqlError: There is no current database or schema, or the name has too many parts.
    """
    if len(parts) > _PARTS:
        raise syntax_error(f"{'.'.join(parts)} has too many parts for a name.")
    database, schema = scope.database, scope.schema
    if len(parts) < _PARTS:
        if database is None:
            raise _no_current("database", 90105)
        parts = [database, *parts]
    if len(parts) < _PARTS:
        if schema is None:
            raise _no_current("schema", 90106)
        parts = [parts[0], schema, parts[1]]
    return Name(*parts)


def _read_part(reader: Reader) -> str:
    token = reader.expect_kind("word", "name")
    return token.upper if token.kind == "word" else token.text


def _no_current(kind: str, code: int) -> SqlError:
    return SqlError(
        f"This session does not have a current {kind}. "
        f"Call 'USE {kind.upper()}', or use a qualified name.",
        code,
        "22000",
    )

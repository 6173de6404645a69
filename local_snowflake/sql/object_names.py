"""Names of objects in the statements that `lexemes` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_snowflake.sql.bindings import NO_BINDINGS
from local_snowflake.sql.errors import syntax_error
from local_snowflake.sql.lexer import Reader
from local_snowflake.sql.names import Name, fully_qualified

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session


def read_name(reader: Reader, session: Session) -> Name:
    """Read `[[database.]schema.]name` or `IDENTIFIER('…')`.

    Raises:
        SqlError: There is no name, or it needs a current database or schema that is not there.
    """
    if reader.accept("IDENTIFIER", "("):
        text = reader.expect_kind("string").text
        reader.expect(")")
        return name_from(text, session)
    parts = [_part(reader)]
    while reader.accept("."):
        # db..t is db.PUBLIC.t
        parts.append("PUBLIC" if reader.next.text == "." else _part(reader))
    return complete(parts, session)


def name_from(text: str, session: Session) -> Name:
    """The object that a text names.

    Raises:
        SqlError: As in `read_name`.
    """
    return read_name(Reader(text, NO_BINDINGS), session)


def complete(parts: list[str], session: Session) -> Name:
    """Add the session's current database and schema to a name.

    Raises:
        SqlError: There is none, or the name has too many parts.
    """
    if len(parts) > len(Name._fields):
        raise syntax_error(f"{'.'.join(parts)} has too many parts for a name.")
    return fully_qualified(parts, session)


def _part(reader: Reader) -> str:
    token = reader.expect_kind("word", "name")
    return token.upper if token.kind == "word" else token.text

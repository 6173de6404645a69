"""The grammar of COPY INTO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_snowflake.sql.bindings import NO_BINDINGS, Bindings
from local_snowflake.sql.errors import syntax_error, unsupported
from local_snowflake.sql.lexer import Reader, Token
from local_snowflake.sql.names import Name
from local_snowflake.sql.object_names import read_name
from local_snowflake.sql.options import Options, read_options
from local_snowflake.sql.statements import Statement
from local_snowflake.stages.locations import StageLocation, is_location, location_from

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session

STAGED = "__STAGED__"
"""The name that a transformation has for the staged file."""


@dataclass(frozen=True)
class CopyIntoTable:
    """`COPY INTO table FROM location`.

    Attributes:
        table: Where the rows go.
        columns: The columns named after the table; empty: all.
        location: Where the files are.
        transformation: The query over the files, which it calls `STAGED`; None: as they are.
        options: FILE_FORMAT, ON_ERROR, ….
    """

    table: Name
    columns: list[str]
    location: StageLocation
    transformation: str | None
    options: Options


@dataclass(frozen=True)
class CopyIntoLocation:
    """`COPY INTO location FROM table | (query)`.

    Attributes:
        location: Where the files go.
        query: What is written, in Snowflake's SQL.
        options: FILE_FORMAT, SINGLE, ….
    """

    location: StageLocation
    query: str
    options: Options


def read_copy(
    session: Session, statement: Statement, bindings: Bindings
) -> CopyIntoTable | CopyIntoLocation:
    """Read a COPY INTO statement.

    Raises:
        SqlError: It is not one, or names a stage that does not exist.
    """
    reader = Reader(statement.sql, bindings)
    reader.expect("COPY", "INTO")
    if is_location(reader.next):
        return _into_location(reader, session)
    table = read_name(reader, session)
    columns = [_column(token) for token in _optional_group(reader) if token.text != ","]
    reader.expect("FROM")
    transformation = None
    if reader.next.text == "(" and reader.next.kind == "symbol":
        location, transformation = _transformation(reader, session)
    else:
        location = location_from(reader.expect_kind("location", "string"), session)
    options = read_options(reader)
    reader.expect_end()
    return CopyIntoTable(table, columns, location, transformation, options)


def _into_location(reader: Reader, session: Session) -> CopyIntoLocation:
    location = location_from(reader.take(), session)
    reader.expect("FROM")
    if reader.next.text == "(":
        query = _text(reader.sql, reader.parenthesised())
    else:
        query = f"SELECT * FROM {read_name(reader, session).sql}"  # noqa: S608 - a quoted name
    if reader.accept("PARTITION", "BY"):
        raise unsupported("COPY INTO a location with PARTITION BY")
    header: dict[str, bool] = {}
    options = read_options(reader)
    reader.expect_end()
    return CopyIntoLocation(location, query, options.over(header))


def _optional_group(reader: Reader) -> list[Token]:
    return reader.parenthesised() if reader.next.text == "(" else []


def _column(token: Token) -> str:
    if token.kind == "name":
        return token.text
    if token.kind != "word":
        raise syntax_error(f"{token.text!r} where a column is expected.")
    return token.upper


def _transformation(reader: Reader, session: Session) -> tuple[StageLocation, str]:
    """Read `(SELECT … FROM @location …)`; the query reads from `STAGED` instead."""
    location, options, query = replace_location(reader.sql, reader.parenthesised(), session)
    options.expect_all_read("a COPY transformation's FROM")
    return location, query


def replace_location(
    sql: str, tokens: list[Token], session: Session
) -> tuple[StageLocation, Options, str]:
    """Find the location that a query selects from, and let it select from `STAGED` instead.

    Args:
        sql: The statement that the query is in.
        tokens: Those of the query.
        session: Completes the stage's name.

    Returns:
        The location, the options in parentheses after it, and the query.

    Raises:
        SqlError: It selects from no location or from several.
    """
    places = location_places(tokens)
    if len(places) != 1:
        raise unsupported("A query over stages that does not select from exactly one location")
    place = places[0]
    location = location_from(tokens[place], session)
    after = tokens[place + 1 :]
    options = Options()
    if after and after[0].text == "(":
        end = next(n for n, token in enumerate(after) if token.text == ")")
        options = read_options(Reader(sql[after[0].end : after[end].start], NO_BINDINGS))
        after = after[end + 1 :]
    return location, options, f'{_text(sql, tokens[:place])} "{STAGED}" {_text(sql, after)}'


def location_places(tokens: list[Token]) -> list[int]:
    """Where among the tokens the locations are that a FROM names."""
    return [
        index
        for index, token in enumerate(tokens)
        if is_location(token) and index and tokens[index - 1].upper == "FROM"
    ]


def _text(sql: str, tokens: list[Token]) -> str:
    """The tokens as they are written; values of `?` as constants."""
    pieces: list[str] = []
    end = tokens[0].start if tokens else 0
    for token in tokens:
        pieces.append(sql[end : token.start])
        written = sql[token.start : token.end]
        constant = "'" + token.text.replace("\\", "\\\\").replace("'", "''") + "'"
        pieces.append(constant if written == "?" else written)
        end = token.end
    return "".join(pieces)

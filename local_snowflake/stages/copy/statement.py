"""The grammar of COPY INTO."""

from __future__ import annotations

from dataclasses import dataclass

from local_snowflake.engine.context import StatementContext
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import syntax_error, unsupported
from local_snowflake.sql.lexer import Reader, Token
from local_snowflake.sql.names import Name, read_name
from local_snowflake.sql.options import Options, read_options
from local_snowflake.sql.statements import Statement
from local_snowflake.stages.locations import StageLocation, is_location, location_from
from local_snowflake.stages.query import replace_location, sql_of


@dataclass(frozen=True)
class CopyIntoTable:
    """`COPY INTO table FROM location`.

    Attributes:
        table: The table that receives the rows.
        columns: The columns named after the table; empty means all.
        location: Where the files are.
        transformation: The query over the files, for `StagedQuery`; None without a query.
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
        location: Where the files are written.
        query: The rows that are written, in Snowflake's dialect.
        options: FILE_FORMAT, SINGLE, ….
    """

    location: StageLocation
    query: str
    options: Options


def read_copy(
    session: StatementContext, statement: Statement, bindings: Bindings
) -> CopyIntoTable | CopyIntoLocation:
    """Read a COPY INTO statement.

    Raises:
        SqlError: It is no COPY INTO, or names a stage that does not exist.
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


def _into_location(reader: Reader, session: StatementContext) -> CopyIntoLocation:
    location = location_from(reader.take(), session)
    reader.expect("FROM")
    if reader.next.text == "(":
        query = sql_of(reader.sql, reader.read_parentheses())
    else:
        query = f"SELECT * FROM {read_name(reader, session).sql}"  # noqa: S608 - a quoted name
    if reader.accept("PARTITION", "BY"):
        raise unsupported("COPY INTO a location with PARTITION BY")
    options = read_options(reader)
    reader.expect_end()
    return CopyIntoLocation(location, query, options)


def _optional_group(reader: Reader) -> list[Token]:
    return reader.read_parentheses() if reader.next.text == "(" else []


def _column(token: Token) -> str:
    if token.kind == "name":
        return token.text
    if token.kind != "word":
        raise syntax_error(f"{token.text!r} where a column is expected.")
    return token.upper


def _transformation(reader: Reader, session: StatementContext) -> tuple[StageLocation, str]:
    """Read `(SELECT … FROM @location …)`."""
    location, options, query = replace_location(reader.sql, reader.read_parentheses(), session)
    options.expect_all_read("a COPY transformation's FROM")
    return location, query

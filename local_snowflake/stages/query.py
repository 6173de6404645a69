"""Queries over staged files: `SELECT t.$1, $2:name::number FROM @stage (FILE_FORMAT => 'f') t`.

What fakesnow lacks: it has them only in COPY, there without a table's alias before positions and
with one level of a path. Snowpark's `session.read` sends them as statements of their own.
See https://docs.snowflake.com/en/user-guide/querying-stage
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import ExitStack

import sqlglot
from fakesnow.rowtype import ColumnInfo
from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import SqlError, syntax_error, unsupported
from local_snowflake.sql.lexer import Reader, Token, tokenize
from local_snowflake.sql.options import Options, read_options
from local_snowflake.sql.quoting import sql_literal
from local_snowflake.sql.statements import Statement
from local_snowflake.stages.locations import StageLocation, is_location, location_from
from local_snowflake.stages.named_formats import format_of
from local_snowflake.stages.readers.opening import open_file
from local_snowflake.stages.readers.reader import FileReader, position_name
from local_snowflake.stages.stages import format_options

_STAGED = "__STAGED__"  # what a query calls the staged files
_FROM_STAGE = re.compile(r"\bfrom\s*'?@", re.IGNORECASE)
_ROOT_AND_KEY = 2
_FILE_NAME = "METADATA$FILENAME"
_ROW_NUMBER = "METADATA$FILE_ROW_NUMBER"


class SelectFromStage:
    """A query that reads one location: `FROM @stage`."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is such a query."""
        if statement.keyword not in {"SELECT", "WITH"} or not _FROM_STAGE.search(statement.sql):
            return False
        # The words may be part of a string.
        return bool(location_places(tokenize(statement.sql)))

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Run the query over all files together.

        Raises:
            SqlError: The stage does not exist, there are no files, or one cannot be read.
        """
        reader = Reader(statement.sql, bindings)
        location, options, sql = replace_location(reader.sql, reader.rest(), session)
        form = format_of(session, options.get("FILE_FORMAT"), format_options(session, location))
        files = location.files(options.text("PATTERN"))
        options.expect_all_read("a query over a stage")
        if not files:
            raise SqlError(
                f"There are no files at '@{location.label}{location.path}'.", 100, "02000"
            )
        query = StagedQuery(sql)
        with ExitStack() as opened:
            sources = [opened.enter_context(open_file(f, form, session.duck)) for f in files]
            names = [f"{location.label}{file.name}" for file in files]
            return session.select(query.over(session, zip(sources, names, strict=True)))

    def describe(self, session: StatementContext, statement: Statement) -> list[ColumnInfo] | None:  # noqa: ARG002 - the protocol's signature
        """Return None: the columns are known only after running the query."""
        return None


class StagedQuery:
    """A query over the rows of staged files, as `replace_location` returns it.

    Args:
        sql: The query in Snowflake's dialect.

    Raises:
        SqlError: It cannot be parsed.
    """

    def __init__(self, sql: str) -> None:
        try:
            self._tree = sqlglot.parse_one(sql, read="snowflake")
        except SqlglotError as error:
            raise syntax_error(str(error)) from error
        self.width = 0
        for parameter in list(self._tree.find_all(exp.Parameter)):
            number = int(parameter.name) if parameter.name.isdigit() else 0
            if not number:
                raise syntax_error(f"${parameter.name} is no column of a staged file")
            self.width = max(self.width, number)
            name = exp.to_identifier(position_name(number), quoted=True)
            if isinstance(parameter.parent, exp.Column):
                parameter.replace(name)
            else:
                parameter.replace(exp.Column(this=name))

    def over(self, session: StatementContext, files: Iterable[tuple[FileReader, str]]) -> str:
        """Translate the query into DuckDB's dialect.

        Args:
            session: The session whose current database the query sees.
            files: The files that it reads, each with its METADATA$FILENAME.
        """
        tree = self._tree.copy()
        metadata = {c.name.upper() for c in tree.find_all(exp.Column)} & {_FILE_NAME, _ROW_NUMBER}
        fields: dict[str, str] = {}
        parts = []
        for source, name in files:
            fields |= source.first_column_fields() or {}
            rows = source.select_by_position(max(self.width, 1), exact=False)
            if metadata:
                extra = (
                    f"{sql_literal(name)} AS {_FILE_NAME}, row_number() OVER () AS {_ROW_NUMBER}"
                )
                rows = f"SELECT *, {extra} FROM ({rows})"  # noqa: S608 - constants
            parts.append(rows)
        if fields:
            _read_fields(tree, fields)
        translated = session.translate(tree, None).sql(dialect="duckdb")
        return f'WITH "{_STAGED}" AS ({" UNION ALL BY NAME ".join(parts)}) {translated}'


def _read_fields(tree: Expr, fields: dict[str, str]) -> None:
    """Replace `$1:name` by the file's column of that name, in its own type.

    Args:
        tree: The query, which is changed.
        fields: The columns' names and their types in DuckDB.
    """
    for extract in list(tree.find_all(exp.JSONExtract)):
        path = extract.expression
        column = extract.this
        if not isinstance(column, exp.Column) or column.name != position_name(1):
            continue
        if not isinstance(path, exp.JSONPath) or len(path.expressions) < _ROOT_AND_KEY:
            continue
        key = path.expressions[1].this
        if key not in fields:
            extract.replace(exp.Null())
            continue
        field = column.copy()
        field.set("this", exp.to_identifier(key, quoted=True))
        rest = path.expressions[_ROOT_AND_KEY:]
        if rest:
            deeper = exp.JSONPath(expressions=[exp.JSONPathRoot(), *(r.copy() for r in rest)])
            extract.set("this", exp.func("TO_JSON", field))
            extract.set("expression", deeper)
        else:
            extract.replace(field)


def replace_location(
    sql: str, tokens: list[Token], session: StatementContext
) -> tuple[StageLocation, Options, str]:
    """Find the location that a query reads, and make the query read the rows of its files.

    Args:
        sql: The statement that contains the query.
        tokens: The tokens of the query.
        session: The session that completes the stage's name.

    Returns:
        The location, the options in parentheses after it, and the query for `StagedQuery`.

    Raises:
        SqlError: It reads no location or several.
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
        options = read_options(Reader(sql[after[0].end : after[end].start]))
        after = after[end + 1 :]
    return location, options, f'{sql_of(sql, tokens[:place])} "{_STAGED}" {sql_of(sql, after)}'


def location_places(tokens: list[Token]) -> list[int]:
    """Return the positions of the tokens that are a location after FROM."""
    return [
        index
        for index, token in enumerate(tokens)
        if is_location(token) and index and tokens[index - 1].upper == "FROM"
    ]


def sql_of(sql: str, tokens: list[Token]) -> str:
    """Return the tokens as they are written, with the values of `?` as constants."""
    pieces: list[str] = []
    end = tokens[0].start if tokens else 0
    for token in tokens:
        pieces.append(sql[end : token.start])
        written = sql[token.start : token.end]
        constant = "'" + token.text.replace("\\", "\\\\").replace("'", "''") + "'"
        pieces.append(constant if written == "?" else written)
        end = token.end
    return "".join(pieces)

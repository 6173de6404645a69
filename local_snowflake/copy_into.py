"""COPY INTO a table: staged files become rows.

What upstream lacks: most options of file formats (its CSV reader is asked for what the file is, not
told), JSON by column name, names of options in quotes, files of several hundred thousand rows in
one piece of SQL, ON_ERROR other than ABORT_STATEMENT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
from fakesnow.statement_type import COPY

from local_snowflake.answers import number_column, rows_result
from local_snowflake.bindings import Bindings
from local_snowflake.conversions import converted
from local_snowflake.copy_statement import CopyIntoTable, read_copy
from local_snowflake.duck_sql import identifier
from local_snowflake.errors import SqlError, unsupported
from local_snowflake.file_formats import read_format
from local_snowflake.options import Options
from local_snowflake.results import StatementResult, status_result, text_column
from local_snowflake.sources import FileSource, open_source
from local_snowflake.stage_locations import StagedFile
from local_snowflake.staged_files import remove
from local_snowflake.staged_query import StagedQuery
from local_snowflake.statements import Statement

if TYPE_CHECKING:
    from local_snowflake.sessions import Session

_COLUMNS = [
    text_column("file"),
    text_column("status"),
    number_column("rows_parsed"),
    number_column("rows_loaded"),
    number_column("error_limit"),
    number_column("errors_seen"),
    text_column("first_error"),
    number_column("first_error_line"),
    number_column("first_error_character"),
    text_column("first_error_column_name"),
]

_ON_ERROR = {"ABORT_STATEMENT", "CONTINUE", "SKIP_FILE"}


@dataclass(frozen=True)
class _Column:
    name: str
    type: str


@dataclass(frozen=True)
class _Settings:
    files: list[StagedFile]
    on_error: str
    purge: bool
    force: bool
    match: str


@dataclass(frozen=True)
class _Outcome:
    """What became of one file; a row of the result."""

    file: str
    status: str
    parsed: int
    loaded: int
    error_limit: int | None = 1
    errors: int = 0
    first_error: str | None = None
    first_line: int | None = None
    first_column: str | None = None

    def row(self) -> tuple[object, ...]:
        return (
            self.file, self.status, self.parsed, self.loaded, self.error_limit, self.errors,
            self.first_error, self.first_line, None, self.first_column,
        )  # fmt: skip


class CopyInto:
    """COPY INTO."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is COPY."""
        return statement.keyword == "COPY"

    def run(self, session: Session, statement: Statement, bindings: Bindings) -> StatementResult:
        """Load the files, all or none.

        Raises:
            SqlError: A file cannot be read or a value does not fit.
        """
        copy = read_copy(session, statement, bindings)
        if not isinstance(copy, CopyIntoTable):
            raise unsupported("COPY INTO a location")
        return _Load(session, copy).run()


class _Load:
    """One COPY INTO a table."""

    def __init__(self, session: Session, copy: CopyIntoTable) -> None:
        self._session = session
        self._copy = copy
        self._form = read_format(_format_options(copy))
        self._settings = _settings(copy)
        self._table = session.temporaries.physical(copy.table)
        self._target = self._target_columns()
        self._query = StagedQuery(copy.transformation) if copy.transformation else None

    def run(self) -> StatementResult:
        """Load every file."""
        if not self._settings.files:
            return status_result("Copy executed with 0 files processed.", COPY)
        outcomes = [self._load(file) for file in self._settings.files]
        if self._settings.purge:
            for file in self._settings.files:
                remove(file.path, self._copy.location)
        return rows_result([outcome.row() for outcome in outcomes], _COLUMNS, COPY)

    def _load(self, file: StagedFile) -> _Outcome:
        name = f"{self._copy.location.label}{file.name}"
        with open_source(file, self._form) as source:
            rows, columns = self._rows(source)
            into = identifier(*(column.name for column in columns)).replace('"."', '", "')
            sql = f"INSERT INTO {self._table.sql} ({into}) {rows}"
            try:
                (loaded,) = self._session.duck.execute(sql).fetchall()[0]
            except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
                raise _load_error(error, name) from error
        return _Outcome(name, "LOADED", loaded, loaded)

    def _rows(self, source: FileSource) -> tuple[str, list[_Column]]:
        """The file's rows in the types of the columns that they go to."""
        if self._query is not None:
            rows = self._query.over(
                self._session, source.by_position(self._query.width, exact=False)
            )
            columns = self._target
            fields = self._describe(rows)
            if len(fields) != len(columns):
                raise SqlError(
                    f"SQL compilation error:\nInsert value list does not match column list "
                    f"expecting {len(columns)} but got {len(fields)}",
                    2020,
                    "21S01",
                )
        else:
            columns = self._target
            rows = source.by_position(len(columns), exact=True)
            fields = self._describe(rows)
        names = [f"c{number}" for number in range(len(fields))]
        values = [
            converted(name, field.type, column.type, source.rules)
            for name, field, column in zip(names, fields, columns, strict=True)
        ]
        fields_of_file = f"({rows}) AS f({', '.join(names)})"
        return f"SELECT {', '.join(values)} FROM {fields_of_file}", columns  # noqa: S608 - quoted names

    def _describe(self, sql: str) -> list[_Column]:
        described = self._session.duck.execute(f"DESCRIBE {sql}").fetchall()
        return [_Column(name, kind) for name, kind, *_ in described]

    def _target_columns(self) -> list[_Column]:
        table = self._describe(f"SELECT * FROM {self._table.sql}")  # noqa: S608 - a quoted name
        if not self._copy.columns:
            return table
        by_name = {column.name: column for column in table}
        for name in self._copy.columns:
            if name not in by_name:
                raise SqlError(f"SQL compilation error:\ninvalid identifier '{name}'", 904, "42000")
        return [by_name[name] for name in self._copy.columns]


def _format_options(copy: CopyIntoTable) -> Options:
    options = copy.options.get("FILE_FORMAT")
    if options is None:
        return Options()
    if not isinstance(options, Options):
        raise unsupported("Later")
    return options


def _settings(copy: CopyIntoTable) -> _Settings:
    options = copy.options
    pattern, names = options.text("PATTERN"), options.texts("FILES")
    if pattern and names:
        raise unsupported("FILES together with PATTERN")
    settings = _Settings(
        files=copy.location.named(names) if names else copy.location.files(pattern),
        on_error=options.choice("ON_ERROR", "ABORT_STATEMENT", _ON_ERROR),
        purge=options.flag("PURGE", default=False),
        force=options.flag("FORCE", default=False),
        match=options.choice(
            "MATCH_BY_COLUMN_NAME", "NONE", {"NONE", "CASE_SENSITIVE", "CASE_INSENSITIVE"}
        ),
    )
    options.expect_all_read("COPY INTO")
    return settings


def _load_error(error: duckdb.Error, file: str) -> SqlError:
    message = str(error).partition("\n\nLINE ")[0].partition("\nPossible")[0].strip()
    code, state = (
        (100038, "22018") if isinstance(error, duckdb.ConversionException) else (100080, "22000")
    )
    return SqlError(f"{message}\n  File '{file}'", code, state)

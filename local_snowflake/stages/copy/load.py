"""COPY INTO a table: loads staged files as rows.

What fakesnow lacks: most options of file formats (its CSV reader guesses the format of a file),
JSON by column name, values in quotes (`TYPE = 'JSON'`), ON_ERROR other than ABORT_STATEMENT,
queries with an alias for the staged files.
See https://docs.snowflake.com/en/sql-reference/sql/copy-into-table
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

import duckdb

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import SqlError, unsupported
from local_snowflake.sql.quoting import sql_identifier
from local_snowflake.sql.statements import Statement
from local_snowflake.stages.copy.history import LoadHistory
from local_snowflake.stages.copy.outcomes import Outcome, copy_result, load_error, skipped_file
from local_snowflake.stages.copy.statement import CopyIntoTable, read_copy
from local_snowflake.stages.copy.unload import unload
from local_snowflake.stages.files import remove_file
from local_snowflake.stages.locations import StagedFile
from local_snowflake.stages.named_formats import format_of
from local_snowflake.stages.query import StagedQuery
from local_snowflake.stages.readers.conversions import TextRules, convert_field
from local_snowflake.stages.readers.formats import CsvFormat, JsonFormat
from local_snowflake.stages.readers.opening import open_file
from local_snowflake.stages.readers.reader import FileReader, position_name
from local_snowflake.stages.stages import format_options

_ON_ERROR = re.compile(r"ABORT_STATEMENT|CONTINUE|SKIP_FILE")
_MATCHES = {"NONE", "CASE_SENSITIVE", "CASE_INSENSITIVE"}


@dataclass(frozen=True)
class _Column:
    name: str
    type: str


@dataclass(frozen=True)
class _Rows:
    """A query over a file, and the columns of the table that receive its fields.

    Attributes:
        sql: The query.
        fields: Its fields, called `c0` and so on, with their types.
        columns: The columns of the table, one per field.
    """

    sql: str
    fields: list[_Column]
    columns: list[_Column]


@dataclass(frozen=True)
class _Settings:
    files: list[StagedFile]
    on_error: str
    purge: bool
    force: bool
    match: str
    is_named: bool  # FILES = (…)


class CopyInto:
    """COPY INTO."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is COPY."""
        return statement.keyword == "COPY"

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Load or unload files.

        Raises:
            SqlError: A file cannot be read or a value does not fit.
        """
        copy = read_copy(session, statement, bindings)
        return (
            _Load(session, copy).run() if isinstance(copy, CopyIntoTable) else unload(session, copy)
        )


class _Load:
    """One COPY INTO a table."""

    def __init__(self, session: StatementContext, copy: CopyIntoTable) -> None:
        self._session = session
        self._copy = copy
        self._form = format_of(
            session, copy.options.get("FILE_FORMAT"), format_options(session, copy.location)
        )
        self._settings = _settings(copy)
        self._table = session.temporaries.physical(copy.table)
        self._history = LoadHistory(session.duck, self._table, copy.location)
        self._target = self._target_columns()
        self._query = StagedQuery(copy.transformation) if copy.transformation else None

    def run(self) -> StatementResult:
        """Load every file."""
        settings = self._settings
        done = set() if settings.force else self._history.loaded(settings.files)
        files = [file for file in settings.files if self._history.version(file) not in done]
        outcomes = [self._load(file) for file in files]
        self._history.add(
            (file, outcome.status, outcome.parsed, outcome.loaded)
            for file, outcome in zip(files, outcomes, strict=True)
            if outcome.status != "LOAD_FAILED"
        )
        if any(outcome.loaded for outcome in outcomes):
            self._session.times.rows_changed(self._table)
        for file, outcome in zip(files, outcomes, strict=True):
            if settings.purge and outcome.status == "LOADED":
                self._session.transactions.after_commit(partial(remove_file, file.path))
        if settings.is_named:
            outcomes += [
                skipped_file(self._name(file)) for file in settings.files if file not in files
            ]
        return copy_result(outcomes)

    def _load(self, file: StagedFile) -> Outcome:
        try:
            with open_file(file, self._form, self._session.duck) as source:
                rows = self._rows(source, file)
                if self._settings.on_error != "ABORT_STATEMENT":
                    return self._load_what_fits(file, rows, source.rules)
                loaded = self._insert(rows, source.rules)
        except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
            raise load_error(error, self._name(file)) from error
        return Outcome(self._name(file), "LOADED", loaded, loaded)

    def _insert(self, rows: _Rows, rules: TextRules, condition: str = "true") -> int:
        into = ", ".join(sql_identifier(column.name) for column in rows.columns)
        values = ", ".join(_values(rows, rules)) or "NULL"
        (count,) = self._session.duck.execute(
            f"INSERT INTO {self._table.sql} ({into}) SELECT {values} FROM {_from(rows)} "  # noqa: S608 - quoted
            f"WHERE {condition}"
        ).fetchall()[0]
        return int(count)

    def _load_what_fits(self, file: StagedFile, rows: _Rows, rules: TextRules) -> Outcome:
        """CONTINUE and SKIP_FILE: load the rows whose values all fit, or no row of the file."""
        tests = [
            f"({field} IS NULL OR TRY({value}) IS NOT NULL)"
            for field, value in zip(_fields(rows), _values(rows, rules), strict=True)
        ]
        good = " AND ".join(tests) or "true"
        broken = ", ".join(
            f"any_value(CASE WHEN NOT {test} THEN CAST({field} AS VARCHAR) END)"
            for field, test in zip(_fields(rows), tests, strict=True)
        )
        parsed, errors, *firsts = self._session.duck.execute(
            f"SELECT count(*), count(*) FILTER (NOT ({good})), {broken} FROM {_from(rows)}"  # noqa: S608 - quoted
        ).fetchall()[0]
        name = self._name(file)
        if not errors:
            return Outcome(name, "LOADED", parsed, self._insert(rows, rules), parsed)
        column, value = next(
            (c, v) for c, v in zip(rows.columns, firsts, strict=True) if v is not None
        )
        reason = f"{column.type} value '{value}' is not recognized"
        place = f'"{self._copy.table.name}"["{column.name}"]'
        if self._settings.on_error == "SKIP_FILE":
            return Outcome(name, "LOAD_FAILED", parsed, 0, 1, errors, reason, None, place)
        loaded = self._insert(rows, rules, good)
        return Outcome(
            name, "PARTIALLY_LOADED", parsed, loaded, parsed, errors, reason, None, place
        )

    def _rows(self, source: FileReader, file: StagedFile) -> _Rows:
        """Return the file's rows and the columns that receive them."""
        columns = self._target
        if self._query is not None:
            sql = self._query.over(self._session, [(source, self._name(file))])
        elif self._settings.match != "NONE":
            sql, columns = self._by_name(source)
        else:
            self._expect_one_variant()
            names = sql_identifier(*(position_name(n + 1) for n in range(len(columns))))
            rows = source.select_by_position(len(columns), exact=True)
            sql = f"SELECT {names.replace('.', ', ')} FROM ({rows})"  # noqa: S608 - quoted names
        fields = self._describe(sql)
        if len(fields) != len(columns):
            raise SqlError(
                "SQL compilation error:\nInsert value list does not match column list expecting "
                f"{len(columns)} but got {len(fields)}",
                2020,
                "21S01",
            )
        return _Rows(sql, fields, columns)

    def _by_name(self, source: FileReader) -> tuple[str, list[_Column]]:
        """Select the fields that have a column of the same name; other columns get defaults."""
        ignore_case = self._settings.match == "CASE_INSENSITIVE"
        # By position: DuckDB does not distinguish the columns `id` and `ID`.
        places: dict[str, list[str]] = {}
        names = source.field_names()
        for number, name in enumerate(names):
            places.setdefault(name.upper() if ignore_case else name, []).append(f"p{number}")
        columns = [
            column
            for column in self._target
            if (column.name.upper() if ignore_case else column.name) in places
        ]
        if not columns:
            # Without a matching column each row is a row of NULLs.
            columns = self._target[:1]
            rows = source.select_by_position(1, exact=False)
            return f"SELECT NULL FROM ({rows})", columns  # noqa: S608 - a query
        rows = (
            f"({source.select_by_name()}) AS named({', '.join(f'p{n}' for n in range(len(names)))})"
        )
        values = ", ".join(
            f"coalesce({', '.join(places[column.name.upper() if ignore_case else column.name])})"
            for column in columns
        )
        return f"SELECT {values} FROM {rows}", columns  # noqa: S608 - a query

    def _expect_one_variant(self) -> None:
        if isinstance(self._form, CsvFormat):
            return
        if [column.type for column in self._target] != ["JSON"]:
            kind = "JSON" if isinstance(self._form, JsonFormat) else "PARQUET"
            raise SqlError(
                f"SQL compilation error:\n{kind} file format can produce one and only one column "
                "of type variant, object, or array. Load data into separate columns using the "
                "MATCH_BY_COLUMN_NAME copy option or copy with transformation.",
                2019,
                "0A000",
            )

    def _name(self, file: StagedFile) -> str:
        return f"{self._copy.location.label}{file.name}"

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


def _fields(rows: _Rows) -> list[str]:
    return [f"c{number}" for number in range(len(rows.fields))]


def _from(rows: _Rows) -> str:
    return f"({rows.sql}) AS f({', '.join(_fields(rows))})"


def _values(rows: _Rows, rules: TextRules) -> list[str]:
    return [
        convert_field(name, field.type, column.type, rules)
        for name, field, column in zip(_fields(rows), rows.fields, rows.columns, strict=True)
    ]


def _settings(copy: CopyIntoTable) -> _Settings:
    options = copy.options
    pattern, names = options.text("PATTERN"), options.texts("FILES")
    if pattern and names:
        raise unsupported("FILES together with PATTERN")
    on_error = str(options.text("ON_ERROR", "ABORT_STATEMENT")).upper()
    if not _ON_ERROR.fullmatch(on_error):
        raise unsupported(f"ON_ERROR = {on_error}")
    settings = _Settings(
        files=copy.location.named_files(names) if names else copy.location.files(pattern),
        on_error=on_error,
        purge=options.flag("PURGE", default=False),
        force=options.flag("FORCE", default=False),
        match=options.choice("MATCH_BY_COLUMN_NAME", "NONE", _MATCHES),
        is_named=names is not None,
    )
    options.accept_any("LOAD_UNCERTAIN_FILES")
    for name, default in (
        ("TRUNCATECOLUMNS", "FALSE"), ("ENFORCE_LENGTH", "TRUE"), ("RETURN_FAILED_ONLY", "FALSE"),
    ):  # fmt: skip
        options.expect_default(name, default)
    options.expect_all_read("COPY INTO")
    return settings

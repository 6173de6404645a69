"""What COPY INTO a table reports about each file."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
from fakesnow.statement_type import COPY

from local_snowflake.engine.results import (
    StatementResult,
    number_column,
    rows_result,
    status_result,
    text_column,
)
from local_snowflake.sql.errors import SqlError

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


@dataclass(frozen=True)
class Outcome:
    """The outcome of loading one file; a row of the result."""

    file: str
    status: str
    parsed: int
    loaded: int
    error_limit: int = 1
    errors: int = 0
    first_error: str | None = None
    first_line: int | None = None
    first_column: str | None = None

    def row(self) -> tuple[object, ...]:
        """Return its row."""
        return (
            self.file, self.status, self.parsed, self.loaded, self.error_limit, self.errors,
            self.first_error, self.first_line, None, self.first_column,
        )  # fmt: skip


def skipped_file(file: str) -> Outcome:
    """Make the outcome of a named file that is loaded already."""
    return Outcome(file, "LOAD_SKIPPED", 0, 0, 1, 1, "File was loaded before.")


def copy_result(outcomes: list[Outcome]) -> StatementResult:
    """Make the result of COPY INTO."""
    if not outcomes:
        return status_result("Copy executed with 0 files processed.", COPY)
    return rows_result([outcome.row() for outcome in outcomes], _COLUMNS, COPY)


def load_error(error: duckdb.Error, file: str) -> SqlError:
    """Make the error for a file that cannot be read or has a value that does not fit."""
    message = str(error).partition("\n\nLINE ")[0].partition("\nPossible")[0].strip()
    conversion = isinstance(error, duckdb.ConversionException)
    code, state = (100038, "22018") if conversion else (100080, "22000")
    return SqlError(f"{message}\n  File '{file}'", code, state)

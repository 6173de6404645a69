"""A staged file, whatever its format, as rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from local_snowflake.conversions import TextRules
from local_snowflake.csv_source import csv_rows, expect_header
from local_snowflake.errors import unsupported
from local_snowflake.file_formats import CsvFormat, FileFormat
from local_snowflake.plain_files import PlainFile, plain_file
from local_snowflake.stage_locations import StagedFile
from local_snowflake.staged_query import position_name


class FileSource(Protocol):
    """The rows of one file.

    Attributes:
        rules: How its texts are read.
    """

    rules: TextRules

    def by_position(self, width: int, *, exact: bool) -> str:
        """A SELECT whose columns are called `position_name(1)` and so on.

        Args:
            width: How many columns are wanted.
            exact: Whether the file has to have as many.

        Raises:
            SqlError: The file cannot be read so.
        """
        ...

    def names(self) -> list[str]:
        """The names of its fields.

        Raises:
            SqlError: It has none.
        """
        ...

    def by_name(self) -> str:
        """A SELECT whose columns are called as `names` says."""
        ...


class CsvSource:
    """A CSV file."""

    def __init__(self, file: PlainFile, form: CsvFormat) -> None:
        self._file = file
        self._form = form
        self.rules = TextRules(form.binary, form.date, form.time, form.timestamp)

    def by_position(self, width: int, *, exact: bool) -> str:
        """Fields as texts, by position."""
        names = [position_name(number) for number in range(1, width + 1)]
        return csv_rows(self._file, self._form, names, exact=exact and self._form.same_width)

    def names(self) -> list[str]:
        """The fields of the first line."""
        return expect_header(self._file, self._form)

    def by_name(self) -> str:
        """Fields as texts, by the names in the first line."""
        return csv_rows(self._file, self._form, self.names(), exact=self._form.same_width)


@contextmanager
def open_source(file: StagedFile, form: FileFormat) -> Iterator[FileSource]:
    """The rows of a staged file, for as long as the context lasts.

    Raises:
        SqlError: The file is not of that format.
    """
    match form:
        case CsvFormat():
            with plain_file(
                file.path, form.compression, form.encoding, replace_invalid=form.replace_invalid
            ) as plain:
                yield CsvSource(plain, form)
        case _:
            raise unsupported("Later")

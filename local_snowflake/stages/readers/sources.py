"""A staged file, whatever its format, as rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from duckdb import DuckDBPyConnection

from local_snowflake.stages.locations import StagedFile
from local_snowflake.stages.readers.conversions import TextRules
from local_snowflake.stages.readers.csv_source import CsvSource
from local_snowflake.stages.readers.formats import CsvFormat, FileFormat, ParquetFormat
from local_snowflake.stages.readers.json_source import JsonSource
from local_snowflake.stages.readers.parquet_source import ParquetSource
from local_snowflake.stages.readers.plain_files import plain_file


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

    def fields_of_first(self) -> dict[str, str] | None:
        """The columns that the first column is made of and their types; None: it is a value."""
        ...

    def names(self) -> list[str]:
        """The names of its fields.

        Raises:
            SqlError: It has none.
        """
        ...

    def by_name(self) -> str:
        """A SELECT with a column for each of `names`, in that order."""
        ...

    def inferred(self) -> list[tuple[str, str]]:
        """The names of its fields and DuckDB's types that their values fit into."""
        ...


@contextmanager
def open_source(
    file: StagedFile, form: FileFormat, duck: DuckDBPyConnection
) -> Iterator[FileSource]:
    """The rows of a staged file, for as long as the context lasts.

    Raises:
        SqlError: The file is compressed in a way that is not known.
    """
    if isinstance(form, ParquetFormat):
        yield ParquetSource(file.path, form, duck)
        return
    encoding = form.encoding if isinstance(form, CsvFormat) else "utf-8"
    # Where DuckDB spills: it reads from no folder but the warehouse's.
    spill = duck.execute("SELECT current_setting('temp_directory')").fetchall()[0][0]
    with plain_file(
        file.path,
        form.compression,
        encoding,
        replace_invalid=form.replace_invalid,
        copies=Path(spill),
    ) as plain:
        if isinstance(form, CsvFormat):
            yield CsvSource(plain, form, duck)
        else:
            yield JsonSource(plain, form, duck)

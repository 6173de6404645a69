"""Opens a staged file with the reader of its format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duckdb import DuckDBPyConnection

from local_snowflake.stages.locations import StagedFile
from local_snowflake.stages.readers.csv_reader import CsvReader
from local_snowflake.stages.readers.formats import CsvFormat, FileFormat, ParquetFormat
from local_snowflake.stages.readers.json_reader import JsonReader
from local_snowflake.stages.readers.parquet_reader import ParquetReader
from local_snowflake.stages.readers.plain_files import open_plain_file
from local_snowflake.stages.readers.reader import FileReader


@contextmanager
def open_file(file: StagedFile, form: FileFormat, duck: DuckDBPyConnection) -> Iterator[FileReader]:
    """Open a staged file for the duration of the context.

    Raises:
        SqlError: The file is compressed in a way that is not supported.
    """
    if isinstance(form, ParquetFormat):
        yield ParquetReader(file.path, form, duck)
        return
    encoding = form.encoding if isinstance(form, CsvFormat) else "utf-8"
    # DuckDB reads files in the warehouse's folders only: this is the one that it spills into.
    spill = duck.execute("SELECT current_setting('temp_directory')").fetchall()[0][0]
    with open_plain_file(
        file.path,
        form.compression,
        encoding,
        replace_invalid=form.replace_invalid,
        copies=Path(spill),
    ) as plain:
        if isinstance(form, CsvFormat):
            yield CsvReader(plain, form, duck)
        else:
            yield JsonReader(plain, form, duck)

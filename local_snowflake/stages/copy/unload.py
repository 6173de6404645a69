"""COPY INTO a location: writes rows into a file of a stage.

What fakesnow lacks: all of it. One file is written, however many rows there are; Snowflake writes
several from 16 MB on, one per thread.
See https://docs.snowflake.com/en/sql-reference/sql/copy-into-location
"""

from __future__ import annotations

from pathlib import Path

import sqlglot
from fakesnow.statement_type import COPY
from sqlglot.errors import SqlglotError

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult, number_column, rows_result
from local_snowflake.sql.errors import SqlError, syntax_error, unsupported
from local_snowflake.sql.quoting import Value, sql_arguments, sql_identifier, sql_literal
from local_snowflake.stages.copy.statement import CopyIntoLocation
from local_snowflake.stages.named_formats import format_of
from local_snowflake.stages.readers.formats import CsvFormat, FileFormat, JsonFormat, ParquetFormat
from local_snowflake.stages.stages import format_options

_COLUMNS = [number_column(n) for n in ("rows_unloaded", "input_bytes", "output_bytes")]


def unload(session: StatementContext, copy: CopyIntoLocation) -> StatementResult:
    """Write the rows of a query into a file.

    Raises:
        SqlError: The file exists and OVERWRITE is not set, or an option is unknown.
    """
    options = copy.options
    form = format_of(session, options.get("FILE_FORMAT"), format_options(session, copy.location))
    header = options.flag("HEADER", default=False)
    single = options.flag("SINGLE", default=False)
    overwrite = options.flag("OVERWRITE", default=False)
    options.accept_any("MAX_FILE_SIZE", "DETAILED_OUTPUT")
    options.expect_default("INCLUDE_QUERY_ID", "FALSE")
    options.expect_all_read("COPY INTO a location")

    ending, written = _copy_options(form, header=header)
    path = _path(copy, ending, single=single)
    if path.exists() and not overwrite:
        raise SqlError(
            f"Files already existing at the unload destination: {copy.location.label}"
            f"{path.relative_to(copy.location.root)}. Use overwrite option to force unloading.",
            1030,
            "22000",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    query = _translate(session, copy.query)
    if not isinstance(form, ParquetFormat):
        query = _with_binary_as_text(session, query)
    (rows,) = session.duck.execute(
        f"COPY ({query}) TO {sql_literal(str(path))} ({written})"
    ).fetchall()[0]
    size = path.stat().st_size
    return rows_result([(rows, size, size)], _COLUMNS, COPY)


def _path(copy: CopyIntoLocation, ending: str, *, single: bool) -> Path:
    """Return the file: the location itself, or a generated name that begins with it."""
    folder = copy.location.folder
    if single and copy.location.path:
        return folder
    name = f"data_0_0_0{ending}"
    if not copy.location.path or copy.location.path.endswith("/"):
        return folder / name
    return folder.with_name(f"{folder.name}_0_0_0{ending}") if folder.suffix else folder / name


def _copy_options(form: FileFormat, *, header: bool) -> tuple[str, str]:
    """Return the end of a file's name and the options with which DuckDB writes it."""
    if isinstance(form, CsvFormat):
        options: dict[str, Value] = {
            "header": header,
            "delim": form.delimiter,
            "quote": form.quote,
            "escape": (form.escape or form.quote) if form.quote else "",
            "nullstr": "" if form.empty_as_null and form.quote else next(iter(form.null_if), ""),
        }
        if form.record_delimiter != "\n" or form.encoding != "utf-8":
            raise unsupported("COPY INTO a location with this RECORD_DELIMITER or ENCODING")
        return _compressed(".csv", "csv", form.compression, options)
    if isinstance(form, JsonFormat):
        return _compressed(".json", "json", form.compression, {})
    return ".snappy.parquet", "FORMAT parquet"


def _compressed(
    ending: str, kind: str, compression: str, options: dict[str, Value]
) -> tuple[str, str]:
    name = "gzip" if compression == "AUTO" else compression.lower()
    ending += {"gzip": ".gz", "zstd": ".zst"}.get(name, "")
    written = sql_arguments({"compression": name, **options}).replace(" = ", " ")
    return ending, f"FORMAT {kind}{written}"


def _with_binary_as_text(session: StatementContext, query: str) -> str:
    """Write BINARY columns in HEX, the default of BINARY_OUTPUT_FORMAT."""
    described = session.duck.execute(f"DESCRIBE {query}").fetchall()
    columns = ", ".join(
        f"hex({name}) AS {name}" if kind == "BLOB" else name
        for name, kind in ((sql_identifier(name), kind) for name, kind, *_ in described)
    )
    return f"SELECT {columns} FROM ({query})"  # noqa: S608 - quoted


def _translate(session: StatementContext, query: str) -> str:
    try:
        expression = sqlglot.parse_one(query, read="snowflake")
    except SqlglotError as error:
        raise syntax_error(str(error)) from error
    return session.translate(expression, None).sql(dialect="duckdb")

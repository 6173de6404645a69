"""Reads CSV files as rows of strings, by DuckDB's reader."""

from __future__ import annotations

import csv
import io
import re

from duckdb import DuckDBPyConnection

from local_snowflake.sql.errors import SqlError, unsupported
from local_snowflake.sql.quoting import Value, sql_arguments, sql_identifier, sql_literal
from local_snowflake.stages.readers.conversions import TextRules
from local_snowflake.stages.readers.formats import CsvFormat
from local_snowflake.stages.readers.plain_files import PlainFile
from local_snowflake.stages.readers.reader import position_name

# Snowflake's longest string has 16 MB; the buffer of DuckDB's reader must hold several lines.
MAX_RECORD_BYTES = 32 << 20
_MAX_FIELD_CHARACTERS = 1 << 30
_NO_NULLS = "\x01\x02no null\x02\x01"
_BLOCK = 1 << 20
# Types that strings may fit into, narrow ones first.
_TYPES = {
    "BIGINT": "{0} IS NULL OR regexp_full_match({0}, '[+-]?[0-9]{{1,38}}')",
    "DOUBLE": "{0} IS NULL OR TRY_CAST({0} AS DOUBLE) IS NOT NULL",
    "BOOLEAN": "{0} IS NULL OR lower({0}) IN ('true', 'false')",
    "DATE": "{0} IS NULL OR TRY_CAST({0} AS DATE) IS NOT NULL",
    "TIMESTAMP": "{0} IS NULL OR TRY_CAST({0} AS TIMESTAMP) IS NOT NULL",
}


class CsvReader:
    """A CSV file."""

    def __init__(self, file: PlainFile, form: CsvFormat, duck: DuckDBPyConnection) -> None:
        self._file = file
        self._form = form
        self._duck = duck
        self.rules = TextRules(
            form.binary, date=form.date, time=form.time, timestamp=form.timestamp
        )

    def select_by_position(self, width: int, *, exact: bool) -> str:
        """Select fields as strings, by position."""
        names = [position_name(number) for number in range(1, width + 1)]
        exact = exact and self._form.same_width
        return csv_rows(self._file, self._form, names, exact=exact)

    def first_column_fields(self) -> None:
        """Return None: the first column is a string."""

    def field_names(self) -> list[str]:
        """Return the fields of the first line.

        Raises:
            SqlError: The file format has no PARSE_HEADER.
        """
        if not self._form.parse_header:
            message = "MATCH_BY_COLUMN_NAME with CSV needs PARSE_HEADER = TRUE in the file format."
            raise SqlError(message, 1008, "22023")
        return read_header(self._file, self._form)

    def select_by_name(self) -> str:
        """Select fields as strings, by the names in the first line."""
        return csv_rows(self._file, self._form, self.field_names(), exact=self._form.same_width)

    def infer_types(self) -> list[tuple[str, str]]:
        """Return the names in the first line, else c1 and so on, and the types that fit."""
        fields = read_header(self._file, self._form)
        names = fields if self._form.parse_header else [f"c{n + 1}" for n in range(len(fields))]
        rows = csv_rows(self._file, self._form, names, exact=False)
        found = []
        for name in names:
            column = sql_identifier(name)
            tests = ", ".join(f"bool_and({test.format(column)})" for test in _TYPES.values())
            fits = self._duck.execute(f"SELECT {tests} FROM ({rows})").fetchall()[0]  # noqa: S608 - quoted
            kinds = (kind for kind, fit in zip(_TYPES, fits, strict=True) if fit)
            found.append((name, next(kinds, "VARCHAR")))
        return found


def csv_rows(file: PlainFile, form: CsvFormat, names: list[str], *, exact: bool) -> str:
    """Return a SELECT of the file's fields as strings.

    Args:
        file: The file.
        form: Its file format.
        names: The names of the columns, from the first field on.
        exact: Whether a record with more or fewer fields is an error; else missing fields are NULL
            and additional ones are left out.

    Raises:
        SqlError: The reader cannot read the file.
    """
    _expect_no_escapes(file, form)
    # Additional fields are an error for the reader, so it gets the number of all fields.
    width = len(names) if exact else max(len(names), len(read_header(file, form)))
    options: dict[str, Value] = {
        "delim": form.delimiter,
        "quote": form.quote,
        "escape": (form.escape or form.quote) if form.quote else "",
        "header": False,
        "skip": form.skip_header + form.parse_header,
        "auto_detect": False,
        "compression": file.compression,
        "max_line_size": MAX_RECORD_BYTES,
        "buffer_size": 2 * MAX_RECORD_BYTES,
        "null_padding": not exact,
        # The parallel scanner cannot pad rows that have line breaks in fields, and is not faster
        # for files of this size.
        "parallel": False,
    }
    fields = [f"f{number}" for number in range(width)]
    types = ", ".join(f"{sql_literal(field)}: 'VARCHAR'" for field in fields)
    nulls, values = _nulls(form)
    columns = ", ".join(
        f"{values.format(field)} AS {sql_identifier(name)}"
        for field, name in zip(fields, names, strict=False)
    )
    return (
        f"SELECT {columns} FROM read_csv({sql_literal(str(file.path))}, "  # noqa: S608 - quoted names and constants
        f"columns = {{{types}}}{sql_arguments({**options, **nulls})})"
    )


def read_header(file: PlainFile, form: CsvFormat) -> list[str]:
    """Return the fields of the first record after the lines to skip."""
    with file.open() as content:
        lines = io.TextIOWrapper(content, "utf-8-sig", errors="replace", newline="")
        for _ in range(form.skip_header):
            lines.readline()
        if len(form.delimiter) != 1:
            return lines.readline().rstrip("\r\n").split(form.delimiter)
        csv.field_size_limit(_MAX_FIELD_CHARACTERS)
        records = csv.reader(
            lines,
            delimiter=form.delimiter,
            quotechar=form.quote or None,
            quoting=csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
            doublequote=not form.escape,
            escapechar=form.escape or None,
        )
        return next(records, [])


def _nulls(form: CsvFormat) -> tuple[dict[str, Value], str]:
    """Return how the reader detects NULLs, and the expression for each value afterwards.

    NULL_IF applies to all fields, EMPTY_FIELD_AS_NULL only to fields that are not enclosed; the
    reader has one rule for both.
    """
    value = "trim({0})" if form.trim else "{0}"
    texts = list(form.null_if)
    if form.trim:
        values = texts + [""] * form.empty_as_null
        return {"nullstr": _NO_NULLS}, f"CASE WHEN {value} NOT IN {_tuple(values)} THEN {value} END"
    if not form.empty_as_null:
        return {"nullstr": texts or _NO_NULLS}, value
    if not form.quote or "" in texts:
        return {"nullstr": ["", *(text for text in texts if text)]}, value
    if texts:
        value = f"CASE WHEN {value} NOT IN {_tuple(texts)} THEN {value} END"
    return {"nullstr": "", "allow_quoted_nulls": False}, value


def _tuple(texts: list[str]) -> str:
    inner = ", ".join(sql_literal(text).replace("{", "{{").replace("}", "}}") for text in texts)
    return f"({inner or 'NULL'})"


def _expect_no_escapes(file: PlainFile, form: CsvFormat) -> None:
    """Refuse files with escapes in fields that are not enclosed: the reader would keep them.

    Snowflake's default for ESCAPE_UNENCLOSED_FIELD is a backslash.
    """
    mark = form.escape or form.escape_unenclosed
    if not mark:
        return
    escape = re.escape(mark.encode())
    # A backslash and N mean NULL by default.
    escaped = escape + (rb"[^N]" if rf"{mark}N" in form.null_if else rb"(?s:.)")
    enclosed = re.escape(form.quote.encode())
    with file.open() as content:
        last = b""
        while block := content.read(_BLOCK):
            if re.search(escaped, last + block):
                break
            last = block[-1:]
        else:
            if last != mark.encode():
                return
    if enclosed:
        inside = enclosed + rb"(?:[^" + enclosed + rb"]|" + enclosed * 2 + rb")*" + enclosed
        if form.escape:
            inside = enclosed + rb"(?:[^" + enclosed + escape + rb"]|" + escape + rb".)*" + enclosed
        with file.open() as content:
            tokens = re.finditer(inside + rb"|" + escaped, content.read(), re.DOTALL)
            if all(token[0].startswith(form.quote.encode()) for token in tokens):
                return
    raise unsupported(
        f"A file with {mark!r} in fields that are not enclosed, which escapes characters there "
        "(ESCAPE_UNENCLOSED_FIELD; NONE switches that off),"
    )

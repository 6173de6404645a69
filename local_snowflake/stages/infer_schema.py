"""TABLE(INFER_SCHEMA(…)): the columns of staged files.

What fakesnow lacks: all of it. The call is answered here; the query around it runs as usual over
the answer.
See https://docs.snowflake.com/en/sql-reference/functions/infer_schema
"""

from __future__ import annotations

import re

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import syntax_error
from local_snowflake.sql.lexer import Reader, Token
from local_snowflake.sql.options import Options, read_options
from local_snowflake.sql.statements import Statement
from local_snowflake.stages.locations import StageLocation, location_from
from local_snowflake.stages.named_formats import format_named
from local_snowflake.stages.readers.formats import CsvFormat, FileFormat
from local_snowflake.stages.readers.opening import open_file

_CALL = re.compile(r"\btable\s*\(\s*infer_schema\s*\(", re.IGNORECASE)
_TYPES = {
    "BOOLEAN": "BOOLEAN", "DATE": "DATE", "TIME": "TIME", "DOUBLE": "REAL", "FLOAT": "REAL",
    "BLOB": "BINARY", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_TZ", "JSON": "VARIANT",
}  # fmt: skip
_WHOLE = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?")


class InferSchema:
    """A query with `TABLE(INFER_SCHEMA(LOCATION => …, FILE_FORMAT => …))` in it."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is such a query."""
        return bool(_CALL.search(statement.sql))

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Infer the columns of the files, then run the query over the answer.

        Raises:
            SqlError: There are no files, or there is more than one such call.
        """
        call = _CALL.search(statement.sql)
        start = call.start() if call else 0
        reader = Reader(statement.sql, bindings)
        while reader.next.start < start:
            if reader.next.kind == "end":
                raise syntax_error("INFER_SCHEMA is used where it cannot be parsed.")
            reader.take()
        reader.expect("TABLE", "(", "INFER_SCHEMA", "(")
        options = read_options(reader)
        reader.expect(")", ")")
        end = reader.next.start
        rows = _columns(session, options)
        values = ", ".join("(" + ", ".join(_constant(value) for value in row) + ")" for row in rows)
        names = ", ".join(f"column{n + 1} AS {name}" for n, name in enumerate(_NAMES))
        found = f"(SELECT {names} FROM VALUES {values}) "  # noqa: S608 - constants
        sql = statement.sql[:start] + found + statement.sql[end:]
        return session.run_in_fakesnow(Statement(sql), Bindings())


_NAMES = ("COLUMN_NAME", "TYPE", "NULLABLE", "EXPRESSION", "FILENAMES", "ORDER_ID")


def _columns(session: StatementContext, options: Options) -> list[tuple[str | int | bool, ...]]:
    location = location_from(_location(options), session)
    form = format_named(session, str(options.text("FILE_FORMAT")))
    names = options.texts("FILES")
    ignore_case = options.flag("IGNORE_CASE", default=False)
    options.accept_any("MAX_FILE_COUNT", "MAX_RECORDS_PER_FILE")
    options.expect_default("KIND", "STANDARD")
    options.expect_all_read("INFER_SCHEMA")
    files = location.named_files(names) if names else location.files()
    found: dict[str, tuple[str, str, list[str]]] = {}
    for file in files:
        with open_file(file, form, session.duck) as source:
            for name, kind in source.infer_types():
                name_ = name.upper() if ignore_case else name
                known, first, places = found.setdefault(name_, (_snowflake_type(kind), name, []))
                places.append(_full_name(location, file.name))
                if known != _snowflake_type(kind):
                    found[name_] = (_common(known, _snowflake_type(kind)), first, places)
    if not found:
        raise syntax_error("INFER_SCHEMA found no columns: is there a file at the location?")
    return [
        (name, kind, True, f"{_reference(form, first, order)}::{kind}", ", ".join(places), order)
        for order, (name, (kind, first, places)) in enumerate(found.items())
    ]


def _reference(form: FileFormat, name: str, order: int) -> str:
    if isinstance(form, CsvFormat):
        return f"${order + 1}"
    return f"$1:{name}" if re.fullmatch(r"[A-Za-z_]\w*", name) else f'$1:"{name}"'


def _location(options: Options) -> Token:
    return Token("string", str(options.text("LOCATION")), 0, 0)


def _full_name(location: StageLocation, name: str) -> str:
    return f"{location.label}{name}"


def _snowflake_type(kind: str) -> str:
    if _WHOLE.fullmatch(kind):
        return "NUMBER(38, 0)"
    if kind.startswith("DECIMAL"):
        return kind.replace("DECIMAL", "NUMBER").replace(",", ", ")
    if kind.startswith("TIMESTAMP") and kind not in _TYPES:
        return "TIMESTAMP_NTZ"
    if kind.endswith("[]"):
        return "ARRAY"
    if kind.startswith(("STRUCT", "MAP")):
        return "OBJECT"
    return _TYPES.get(kind, "TEXT")


def _common(one: str, other: str) -> str:
    numbers = {one.partition("(")[0], other.partition("(")[0]} <= {"NUMBER", "REAL"}
    return "REAL" if numbers else "TEXT"


def _constant(value: str | int | bool) -> str:
    if isinstance(value, bool | int):
        return str(value).upper()
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"

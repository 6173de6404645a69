"""Reads JSON files: a row per value, with or without a line of its own."""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from local_snowflake.sql.quoting import Value, sql_arguments, sql_identifier, sql_literal
from local_snowflake.stages.readers.conversions import TextRules
from local_snowflake.stages.readers.csv_reader import MAX_RECORD_BYTES
from local_snowflake.stages.readers.formats import JsonFormat
from local_snowflake.stages.readers.plain_files import PlainFile
from local_snowflake.stages.readers.reader import position_name


class JsonReader:
    """Reads a JSON file; every value in it is a row."""

    def __init__(self, file: PlainFile, form: JsonFormat, duck: DuckDBPyConnection) -> None:
        self._file = file
        self._form = form
        self._duck = duck
        self.rules = TextRules(
            form.binary, date=form.date, time=form.time, timestamp=form.timestamp
        )

    def select_by_position(self, width: int, *, exact: bool) -> str:  # noqa: ARG002 - a source's signature
        """Select the whole value as the only column."""
        return self._values()

    def first_column_fields(self) -> None:
        """Return None: the first column is the value itself."""

    def field_names(self) -> list[str]:
        """Return the keys of all objects in the file."""
        sql = (
            f"SELECT DISTINCT unnest(json_keys({_VALUE})) AS name "  # noqa: S608 - quoted
            f"FROM ({self._values()}) ORDER BY name"
        )
        return [name for (name,) in self._duck.execute(sql).fetchall()]

    def select_by_name(self) -> str:
        """Select the value of every key; a JSON null is NULL."""
        names = self.field_names()
        if not names:
            return self._values()
        columns = ", ".join(
            f"{self._field(f'fields[{number}]')} AS {sql_identifier(name)}"
            for number, name in enumerate(names, 1)
        )
        # All of them at once, or each would parse the object again.
        pointers = ["/" + name.replace("~", "~0").replace("/", "~1") for name in names]
        fields = f"json_extract({_VALUE}, {sql_literal(pointers)}) AS fields"
        return f"SELECT {columns} FROM (SELECT {fields} FROM ({self._values()}))"  # noqa: S608 - quoted

    def infer_types(self) -> list[tuple[str, str]]:
        """Return the keys and the types in DuckDB that their values fit into."""
        kind = "auto" if self._form.strip_outer_array else "unstructured"
        described = self._duck.execute(
            f"DESCRIBE SELECT * FROM read_json({self._place()}, format = {sql_literal(kind)})"  # noqa: S608 - a constant
        )
        return [(name, kind) for name, kind, *_ in described.fetchall()]

    def _field(self, value: str) -> str:
        unknown = "".join(f", {sql_literal(text)}" for text in self._form.null_if)
        if unknown:
            return f"CASE WHEN ({value} ->> '$') NOT IN ({unknown[2:]}) THEN {value} END"
        return f"CASE WHEN {value} <> 'null' THEN {value} END"

    def _values(self) -> str:
        value = "json"
        if self._form.strip_outer_array:
            value = "unnest(CASE json_type(json) WHEN 'ARRAY' THEN json::JSON[] ELSE [json] END)"
        sql = (
            f"SELECT {value} AS {_VALUE} "  # noqa: S608 - quoted
            f"FROM read_json_objects({self._place()}, format = 'unstructured')"
        )
        if self._form.strip_nulls:
            # A merge patch leaves out nulls.
            sql = f"SELECT json_merge_patch('{{}}', {_VALUE}) AS {_VALUE} FROM ({sql})"  # noqa: S608 - quoted
        return sql

    def _place(self) -> str:
        options: dict[str, Value] = {
            "compression": self._file.compression,
            "maximum_object_size": MAX_RECORD_BYTES,
        }
        return sql_literal(str(self._file.path)) + sql_arguments(options)


_VALUE = sql_identifier(position_name(1))

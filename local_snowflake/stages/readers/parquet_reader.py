"""Reads parquet files as rows in their own types."""

from __future__ import annotations

from pathlib import Path

from duckdb import DuckDBPyConnection

from local_snowflake.sql.quoting import sql_identifier, sql_literal
from local_snowflake.stages.readers.conversions import TextRules
from local_snowflake.stages.readers.formats import ParquetFormat
from local_snowflake.stages.readers.reader import position_name


class ParquetReader:
    """Reads a parquet file."""

    def __init__(self, path: Path, form: ParquetFormat, duck: DuckDBPyConnection) -> None:
        self._path = path
        self._form = form
        self._duck = duck
        # Parquet has types, so a string with JSON in it stays a string in a VARIANT: drivers' users
        # and dlt's tests expect that.
        self.rules = TextRules(binary_as_text=form.binary_as_text, json_in_text=False)

    def select_by_position(self, width: int, *, exact: bool) -> str:  # noqa: ARG002 - a source's signature
        """Select each row as one object, and beside it its columns."""
        first = sql_identifier(position_name(1))
        return f"SELECT *, to_json(row_) AS {first} FROM {self._reader()} row_"  # noqa: S608 - quoted

    def first_column_fields(self) -> dict[str, str]:
        """Return the file's columns: `$1:name` is one of them."""
        return dict(self.infer_types())

    def field_names(self) -> list[str]:
        """Return the names of the columns."""
        return [name for name, _ in self.infer_types()]

    def select_by_name(self) -> str:
        """Select the columns."""
        columns = ", ".join(self._column(name, kind) for name, kind in self.infer_types())
        return f"SELECT {columns} FROM {self._reader()}"  # noqa: S608 - quoted

    def infer_types(self) -> list[tuple[str, str]]:
        """Return the columns and their types in DuckDB."""
        sql = f"DESCRIBE SELECT * FROM {self._reader()}"  # noqa: S608 - a constant
        return [(name, kind) for name, kind, *_ in self._duck.execute(sql).fetchall()]

    def _column(self, name: str, kind: str) -> str:
        if self._form.null_if and kind == "VARCHAR":
            unknown = ", ".join(sql_literal(text) for text in self._form.null_if)
            column = sql_identifier(name)
            return f"CASE WHEN {column} NOT IN ({unknown}) THEN {column} END AS {column}"
        return sql_identifier(name)

    def _reader(self) -> str:
        return f"read_parquet({sql_literal(str(self._path))})"

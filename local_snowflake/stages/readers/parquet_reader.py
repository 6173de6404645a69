"""Parquet files as rows in the types that they have."""

from __future__ import annotations

from pathlib import Path

from duckdb import DuckDBPyConnection

from local_snowflake.sql.quoting import sql_identifier, sql_literal
from local_snowflake.stages.readers.conversions import TextRules
from local_snowflake.stages.readers.formats import ParquetFormat
from local_snowflake.stages.readers.reader import position_name


class ParquetReader:
    """A parquet file."""

    def __init__(self, path: Path, form: ParquetFormat, duck: DuckDBPyConnection) -> None:
        self._path = path
        self._form = form
        self._duck = duck
        # Parquet has types, so its texts are not read: drivers' users, and dlt's tests, find texts
        # with JSON in them in a VARIANT.
        self.rules = TextRules(binary_as_text=form.binary_as_text, json_in_text=False)

    def by_position(self, width: int, *, exact: bool) -> str:  # noqa: ARG002 - a source's signature
        """Each row as one object, and next to it the columns that it is made of."""
        first = sql_identifier(position_name(1))
        return f"SELECT *, to_json(row_) AS {first} FROM {self._reader()} row_"  # noqa: S608 - quoted

    def fields_of_first(self) -> dict[str, str]:
        """The file's columns: `$1:name` is one of them."""
        return dict(self.inferred())

    def names(self) -> list[str]:
        """The names of the columns."""
        return [name for name, _ in self.inferred()]

    def by_name(self) -> str:
        """The columns."""
        columns = ", ".join(self._column(name, kind) for name, kind in self.inferred())
        return f"SELECT {columns} FROM {self._reader()}"  # noqa: S608 - quoted

    def inferred(self) -> list[tuple[str, str]]:
        """The columns and DuckDB's types of them."""
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

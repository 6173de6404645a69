"""The types of arguments and results of procedures and functions.

Signatures differ in the kinds of types only: INT and NUMBER(10, 2) are both NUMBER.
"""

from __future__ import annotations

from dataclasses import dataclass

from local_snowflake.sql.errors import unsupported
from local_snowflake.sql.lexer import Reader

MAX_PRECISION = 38
_KINDS = {
    **dict.fromkeys(("NUMBER", "DECIMAL", "NUMERIC", "DEC"), "NUMBER"),
    **dict.fromkeys(("INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT"), "NUMBER"),
    **dict.fromkeys(("FLOAT", "FLOAT4", "FLOAT8", "DOUBLE", "REAL"), "FLOAT"),
    **dict.fromkeys(("VARCHAR", "CHAR", "CHARACTER", "STRING", "TEXT", "NVARCHAR"), "VARCHAR"),
    **dict.fromkeys(("BINARY", "VARBINARY"), "BINARY"),
    **dict.fromkeys(("TIMESTAMP", "DATETIME", "TIMESTAMP_NTZ", "TIMESTAMPNTZ"), "TIMESTAMP_NTZ"),
    **dict.fromkeys(("TIMESTAMP_LTZ", "TIMESTAMPLTZ"), "TIMESTAMP_LTZ"),
    **dict.fromkeys(("TIMESTAMP_TZ", "TIMESTAMPTZ"), "TIMESTAMP_TZ"),
    **{kind: kind for kind in ("BOOLEAN", "DATE", "TIME", "VARIANT", "ARRAY", "OBJECT")},
    "MAP": "OBJECT",
}
_WHOLE = {"NUMBER", "DECIMAL", "NUMERIC", "DEC"}
_DUCKDB = {
    "FLOAT": "DOUBLE",
    "VARCHAR": "VARCHAR",
    "BINARY": "BLOB",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "TIME": "TIME",
    "TIMESTAMP_NTZ": "TIMESTAMP",
    "TIMESTAMP_LTZ": "TIMESTAMP WITH TIME ZONE",
    "TIMESTAMP_TZ": "TIMESTAMP WITH TIME ZONE",
}
SEMI_STRUCTURED = {"VARIANT", "ARRAY", "OBJECT"}


@dataclass(frozen=True)
class SnowflakeType:
    """A type of Snowflake.

    Attributes:
        kind: NUMBER, FLOAT, VARCHAR, …; part of a signature.
        precision: The number of digits of a NUMBER.
        scale: The number of digits after the decimal point.
    """

    kind: str
    precision: int = MAX_PRECISION
    scale: int = 0

    @property
    def duckdb(self) -> str:
        """The type in which DuckDB passes values to a handler and takes its results.

        VARIANT, ARRAY and OBJECT are passed as JSON strings.
        """
        if self.kind == "NUMBER":
            return f"DECIMAL({self.precision},{self.scale})" if self.scale else "BIGINT"
        return "VARCHAR" if self.is_semi_structured else _DUCKDB[self.kind]

    @property
    def is_semi_structured(self) -> bool:
        """Whether it is VARIANT, ARRAY or OBJECT."""
        return self.kind in SEMI_STRUCTURED

    @property
    def description(self) -> str:
        """The type as DESCRIBE writes it."""
        if self.kind == "NUMBER":
            return f"NUMBER({self.precision},{self.scale})"
        return self.kind

    def argument_sql(self, argument: str) -> str:
        """Return DuckDB's SQL for an argument of this type."""
        if self.is_semi_structured:
            return f"CAST(to_json({argument}) AS VARCHAR)"
        return f"CAST({argument} AS {self.duckdb})"

    def result_sql(self, value: str) -> str:
        """Return DuckDB's SQL for a result of this type."""
        target = "JSON" if self.is_semi_structured else self.duckdb
        return f"CAST({value} AS {target})"


def read_type(reader: Reader) -> SnowflakeType:
    """Read a type with its precision or length.

    Raises:
        SqlError: It is not supported.
    """
    word = reader.expect_kind("word").upper
    if word == "DOUBLE":
        reader.accept("PRECISION")
    sizes = reader.read_parentheses() if reader.next.text == "(" else []
    if word not in _KINDS:
        raise unsupported(f"The type {word} in a procedure or function")
    numbers = [int(token.text) for token in sizes if token.kind == "number"]
    if word not in _WHOLE or not numbers:
        return SnowflakeType(_KINDS[word])
    return SnowflakeType("NUMBER", numbers[0], numbers[1] if len(numbers) > 1 else 0)

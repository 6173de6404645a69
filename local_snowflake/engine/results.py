"""The result of a statement, and how results are made of a few values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs
from fakesnow.rowtype import ColumnInfo
from fakesnow.statement_type import DDL, SELECT

from local_snowflake.sql.errors import already_exists


@dataclass(frozen=True)
class StatementResult:
    """The result of one statement.

    Attributes:
        table: Its rows.
        rowtype: Its columns as Snowflake describes them.
        type_id: Snowflake's statement type, by which drivers distinguish queries from DML.
        file_transfer: For PUT and GET, the instructions which files the client moves; no rows then.
    """

    table: pa.Table
    rowtype: list[ColumnInfo]
    type_id: int = SELECT
    file_transfer: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Description:
    """The columns of a statement that was described and not run.

    Attributes:
        rowtype: Its columns as Snowflake describes them.
        type_id: Snowflake's statement type.
        binds: How many `?` it has; drivers ask for this before they bind.
    """

    rowtype: list[ColumnInfo]
    type_id: int
    binds: int


def text_column(name: str) -> ColumnInfo:
    """Describe a VARCHAR column."""
    return {
        "name": name,
        "database": "",
        "schema": "",
        "table": "",
        "nullable": True,
        "type": "text",
        "byteLength": 16777216,
        "length": 16777216,
        "scale": None,
        "precision": None,
        "collation": None,
    }


def number_column(name: str) -> ColumnInfo:
    """Describe a NUMBER(38,0) column."""
    sizes: ColumnInfo = {**text_column(name), "byteLength": None, "length": None}
    return {**sizes, "type": "fixed", "precision": 38, "scale": 0}


def rows_result(
    rows: Sequence[Sequence[Any]], columns: list[ColumnInfo], type_id: int = SELECT
) -> StatementResult:
    """Make a result from Python values: strings and whole numbers."""
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    types = [pa.int64() if column["type"] == "fixed" else pa.string() for column in columns]
    arrays = [pa.array(values, kind) for values, kind in zip(cells, types, strict=True)]
    names = [column["name"] for column in columns]
    return StatementResult(pa.table(arrays, names=names), columns, type_id)


def status_result(
    message: str = "Statement executed successfully.", type_id: int = SELECT
) -> StatementResult:
    """Make the one row that Snowflake returns for statements without a result of their own."""
    return StatementResult(pa.table({"status": [message]}), [text_column("status")], type_id)


def already_exists_result(name: str, *, if_not_exists: bool) -> StatementResult:
    """Make the result of CREATE for an object that exists and is not replaced.

    Raises:
        SqlError: Without IF NOT EXISTS.
    """
    if if_not_exists:
        return status_result(f"{name} already exists, statement succeeded.", DDL)
    raise already_exists(name)

"""The result of a statement, and the recent results that clients may ask for again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs
from fakesnow.rowtype import ColumnInfo
from fakesnow.statement_type import DDL, SELECT

from local_snowflake.sql.errors import already_exists

MAX_RESULTS = 200
MAX_BYTES = 256 * 1024 * 1024


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


class RecentResults:
    """Results by query id, for RESULT_SCAN and late fetches; the oldest are dropped first."""

    def __init__(self) -> None:
        self._results: OrderedDict[str, StatementResult] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._size = 0
        self._lock = threading.Lock()

    def add(self, query_id: str, result: StatementResult) -> None:
        """Keep a result."""
        with self._lock:
            self._results[query_id] = result
            self._sizes[query_id] = int(result.table.nbytes)
            self._size += self._sizes[query_id]
            while len(self._results) > 1 and (
                len(self._results) > MAX_RESULTS or self._size > MAX_BYTES
            ):
                oldest, _ = self._results.popitem(last=False)
                self._size -= self._sizes.pop(oldest)

    def get(self, query_id: str) -> StatementResult | None:
        """Return the result of a query; None when it is unknown or dropped."""
        with self._lock:
            return self._results.get(query_id)
